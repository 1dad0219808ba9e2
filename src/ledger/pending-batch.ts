import { limits, WakeablePause } from '../base/index.ts';
import type { KeyedEvents } from '../store/index.ts';
import type { EventResult, Increment, Series } from '../usage/index.ts';
import type { Cell, Cells } from './cells.ts';
import { KeyedBatch, resultOf, type DayMaxOf } from './keyed-batch.ts';

/** A quantity of one meter, with its dimensions. */
export interface Count extends Series {
  readonly quantity: bigint;
}

interface KeyedWaiting {
  readonly from: number;
  readonly to: number;
  readonly resolve: (results: readonly EventResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The batch that waits for one commit. Its size grows with the number of distinct cells, not with the number of events.
 * Beyond `limits.pendingCellsMax`, new cells lose their details (`__other__`) and keep organisation and architecture;
 * beyond twice that number they lose these as well. So memory is bounded while commits fail, and no event is lost.
 */
export class PendingBatch {
  readonly #quantities = new Map<Cell, bigint>();
  readonly #cells: Cells;
  readonly #cellsMax: number;
  #events = 0;
  readonly #uncommitted = new WakeablePause();
  #waited: Promise<void> | undefined;
  #keyed: KeyedBatch | undefined;
  readonly #keyedWaiting: KeyedWaiting[] = [];

  constructor(cells: Cells, cellsMax: number = limits.pendingCellsMax) {
    this.#cells = cells;
    this.#cellsMax = cellsMax;
  }

  /** The number of counts in the batch, without keyed events. */
  get events(): number {
    return this.#events;
  }

  /** The number of keyed events in the batch. */
  get keyedEvents(): number {
    return this.#keyed?.count ?? 0;
  }

  get empty(): boolean {
    return this.#events === 0 && this.keyedEvents === 0;
  }

  /** The keyed events of the batch, to add to. */
  get keyed(): KeyedBatch {
    return (this.#keyed ??= new KeyedBatch());
  }

  /** The keyed events to write; `undefined` if there are none. Call it once. */
  takeKeyed(dayMaxOf?: DayMaxOf): KeyedEvents | undefined {
    return this.keyedEvents > 0 ? this.#keyed?.packed(dayMaxOf) : undefined;
  }

  /** Resolves with the results of the last `count` keyed events once they are committed; rejects if that fails. */
  results(count: number): Promise<readonly EventResult[]> {
    const from = this.keyedEvents - count;
    return new Promise((resolve, reject) => this.#keyedWaiting.push({ from, to: from + count, resolve, reject }));
  }

  /** The keyed events are committed: resolves their `results`. */
  settleKeyed(outcomes: Uint8Array): void {
    for (const { from, to, resolve } of this.#keyedWaiting.splice(0)) {
      resolve(Array.from(outcomes.subarray(from, to), resultOf));
    }
  }

  /** Drops the keyed events and rejects their `results`: their senders retry. All other counts stay. */
  rejectKeyed(error: unknown): void {
    this.#keyed = undefined;
    for (const { reject } of this.#keyedWaiting.splice(0)) reject(error);
  }

  /** Adds to a cell. Answers whether its dimensions were folded. */
  add(cell: Cell, quantity: bigint): boolean {
    this.#events++;
    if (this.#put(cell, quantity, this.#cellsMax)) return false;
    // Made only on overflow: almost every count finds its cell, or room for a new one.
    if (this.#put(this.#cells.withoutDetails(cell), quantity, this.#cellsMax * 2)) return true;
    this.#put(this.#cells.withoutDimensions(cell), quantity, Infinity);
    return true;
  }

  /** Adds to a cell that is in the batch already, or for which there is room. Answers whether it did. */
  #put(cell: Cell, quantity: bigint, cellsMax: number): boolean {
    const known = this.#quantities.get(cell);
    if (known === undefined && this.#quantities.size >= cellsMax) return false;
    this.#quantities.set(cell, (known ?? 0n) + quantity);
    return true;
  }

  increments(): readonly Increment[] {
    return Array.from(this.#quantities, ([cell, quantity]) => ({ ...cell, quantity }));
  }

  /** Resolves when `release` is called, or `waitMs` after the first call, whichever comes first. */
  wait(waitMs: number): Promise<void> {
    // One promise for all calls: a promise for each count would halve the rate of counting.
    return (this.#waited ??= this.#uncommitted.wait(waitMs).then(() => undefined));
  }

  /** The commit has ended: resolves all calls of `wait`. */
  release(): void {
    this.#uncommitted.wake();
  }
}
