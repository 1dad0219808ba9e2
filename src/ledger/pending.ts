import { limits, WakeablePause } from '../base/index.ts';
import type { KeyedEvents } from '../store/index.ts';
import type { EventResult, Increment, Series } from '../usage/index.ts';
import type { Cell, Cells } from './cells.ts';
import { Gathering, resultOf, type DayMaxOf } from './gathering.ts';

/** What happened: so much of one meter, with these dimensions. */
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
 * The increments that wait for one commit, coalesced: its size grows with the distinct cells, not with the events.
 * Beyond `limits.pendingCellsMax` new cells lose their details (`__other__`) and keep organisation and architecture;
 * beyond twice as many they lose those as well, so that memory is bounded while the disk is away and no event is lost.
 */
export class Pending {
  readonly #quantities = new Map<Cell, bigint>();
  readonly #cells: Cells;
  readonly #cellsMax: number;
  #events = 0;
  readonly #uncommitted = new WakeablePause();
  #waited: Promise<unknown> | undefined;
  #keyed: Gathering | undefined;
  readonly #keyedWaiting: KeyedWaiting[] = [];

  constructor(cells: Cells, cellsMax: number = limits.pendingCellsMax) {
    this.#cells = cells;
    this.#cellsMax = cellsMax;
  }

  /** How many counts are in it, those with an identity apart. */
  get events(): number {
    return this.#events;
  }

  /** How many events with an identity are in it. */
  get keyedEvents(): number {
    return this.#keyed?.count ?? 0;
  }

  get empty(): boolean {
    return this.#events === 0 && this.keyedEvents === 0;
  }

  /** The events with an identity that are in it, to add to. */
  get keyed(): Gathering {
    return (this.#keyed ??= new Gathering());
  }

  /** Those events, to be written; absent when there are none. To be asked for once. */
  takeKeyed(dayMaxOf?: DayMaxOf): KeyedEvents | undefined {
    return this.keyedEvents > 0 ? this.#keyed?.packed(dayMaxOf) : undefined;
  }

  /** Resolves with the results of the `count` events added last, once they are committed; rejects when they are not. */
  results(count: number): Promise<readonly EventResult[]> {
    const from = this.keyedEvents - count;
    return new Promise((resolve, reject) => this.#keyedWaiting.push({ from, to: from + count, resolve, reject }));
  }

  /** The events with an identity are committed. */
  settleKeyed(outcomes: Uint8Array): void {
    for (const { from, to, resolve } of this.#keyedWaiting.splice(0)) {
      resolve(Array.from(outcomes.subarray(from, to), resultOf));
    }
  }

  /** They are given up, since whoever sent them sends them again; what has no identity stays. */
  rejectKeyed(error: unknown): void {
    this.#keyed = undefined;
    for (const { reject } of this.#keyedWaiting.splice(0)) reject(error);
  }

  /** Adds to a cell; answers whether its dimensions had to be folded. */
  add(cell: Cell, quantity: bigint): boolean {
    this.#events++;
    if (this.#put(cell, quantity, this.#cellsMax)) return false;
    // Made only here: almost every count finds its cell, or room for a new one.
    if (this.#put(this.#cells.withoutDetails(cell), quantity, this.#cellsMax * 2)) return true;
    this.#put(this.#cells.withoutDimensions(cell), quantity, Infinity);
    return true;
  }

  /** Adds to a cell that is there, or that there is room for; answers whether it could. */
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
  async wait(waitMs: number): Promise<void> {
    await (this.#waited ??= this.#uncommitted.wait(waitMs));
  }

  /** The commit has ended: resolves all calls of `wait`. */
  release(): void {
    this.#uncommitted.wake();
  }
}
