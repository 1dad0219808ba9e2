import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { type Increment, outcome, voidCell } from '../../usage/index.ts';
import type { KeyedEvents } from '../../store/index.ts';
import type { CountedRuns } from './counted-runs.ts';
import type { DayUse, Room } from './day-use.ts';
import type { Gains } from './gains.ts';
import type { HeldKeys, KeyPlace } from './held-keys.ts';
import type { PendingClaims } from './pending-claims.ts';
import { keyWords, type RunCell } from './run-codec.ts';
import type { SeriesIds, StoredSeries } from './series-ids.ts';

/** The results of the keyed events of a batch. */
export interface Claimed {
  readonly outcomes: Uint8Array;
  readonly added: readonly Increment[];
  readonly takenBack: readonly Increment[];
}

export const nothingClaimed: Claimed = { outcomes: new Uint8Array(), added: [], takenBack: [] };

export interface ClaimsParts {
  readonly keys: HeldKeys;
  readonly series: SeriesIds;
  readonly dayUse: DayUse;
  readonly counted: CountedRuns;
  readonly pending?: PendingClaims | undefined;
}

/**
 * Decides which keyed events are new, and what voids take back. With `pending`, another instance may know events that
 * are new here, so events count nothing yet and voids take back nothing yet.
 */
export class Claims {
  readonly #keys: HeldKeys;
  readonly #series: SeriesIds;
  readonly #pending: PendingClaims | undefined;
  readonly #dayUse: DayUse;
  readonly #findVoided: ProgramStatement;
  readonly #insertVoided: ProgramStatement;
  readonly #dropVoided: ProgramStatement;
  readonly #counted: CountedRuns;

  constructor(file: ProgramFile, parts: ClaimsParts) {
    this.#keys = parts.keys;
    this.#series = parts.series;
    this.#pending = parts.pending;
    this.#dayUse = parts.dayUse;
    this.#counted = parts.counted;
    this.#findVoided = file.prepare('select 1 from voided_key where run = ? and position = ?');
    this.#insertVoided = file.prepare('insert into voided_key (run, position) values (?, ?)');
    this.#dropVoided = file.prepare(
      'delete from voided_key where run < (select min(run) from key_run) or not exists (select 1 from key_run)',
    );
  }

  /**
   * Claims the keys of the events of batch `number` in order, and adds what they count to `gains`. Call it in a transaction.
   */
  take(keyed: KeyedEvents, gains: Gains, number: number): Claimed {
    const keys = this.#keys;
    const stored = keyed.cells.map((cell) => this.#series.of(cell));
    const cells = runCellsOf(keyed, stored);
    const rooms = this.#roomsOf(keyed, stored);
    const count = keyed.cellOf.length;
    const words = wordsOf(keyed.keys);
    const targets = wordsOf(keyed.targets);
    keys.begin(count + targets.length / keyWords, cells);
    const outcomes = new Uint8Array(count);
    const sums = new CellSums(cells.length);
    const takenBack: Increment[] = [];
    for (let index = 0, target = 0; index < count; index++) {
      const cell = keyed.cellOf[index] ?? voidCell;
      const key = words.subarray(index * keyWords, (index + 1) * keyWords);
      if (cell === voidCell) {
        const targetKey = targets.subarray(target, (target += keyWords));
        outcomes[index] = this.#takeBack({ key, target: targetKey, number }, gains, takenBack);
        continue;
      }
      const held = keys.find(key, 0);
      if (held) {
        outcomes[index] = held.kind === 'tombstone' ? outcome.voided : outcome.duplicate;
        continue;
      }
      const quantity = keyed.quantities[index] ?? 1;
      const room = rooms[cell];
      if (room?.has(quantity) === false) {
        outcomes[index] = outcome.dayLimit;
        continue;
      }
      room?.take(quantity);
      keys.claim(key, 0, cell, quantity);
      if (!this.#pending) sums.add(cell, quantity);
    }
    return { outcomes, added: addSums(keyed, stored, sums, gains), takenBack };
  }

  /** Deletes the voids of keys that were dropped. */
  dropVoided(): void {
    this.#dropVoided.run();
    this.#counted.dropOld();
  }

  /** The room of each cell's day; `undefined` without limits. */
  #roomsOf({ cells, stated, dayMax }: KeyedEvents, stored: readonly StoredSeries[]): readonly Room[] {
    if (!dayMax) return [];
    return stored.map(({ account }, index) => {
      return this.#dayUse.roomOf(account, cells[index]?.day ?? 0, stated?.[index] === 1, dayMax[index] ?? Infinity);
    });
  }

  #takeBack({ key, target, number }: Void, gains: Gains, takenBack: Increment[]): number {
    const keys = this.#keys;
    if (keys.find(key, 0)) return outcome.duplicate;
    const held = keys.find(target, 0);
    if (held?.kind === 'void') return outcome.notVoidable;
    const place = keys.claimVoid(key, 0);
    const isVoided = held?.kind === 'usage' && this.#isVoided(held.place);
    this.#pending?.addVoid(place, target, held?.kind === 'usage' ? { ...held.place, isVoided } : undefined);
    if (held === undefined) {
      keys.leaveTombstone(target, 0);
      return outcome.accepted;
    }
    if (held.kind === 'tombstone') return outcome.duplicate;
    const { run, position } = held.place;
    if (isVoided) return outcome.duplicate;
    this.#insertVoided.run(run, position);
    if (this.#pending) return outcome.accepted;
    const { day, series, isStated } = held.cell;
    const stored = this.#series.byId(series);
    if (!this.#counted.hasCounted(held.place, stored.id, day)) return outcome.accepted;
    const countedIn = keys.isStaged(run) ? number : this.#counted.batchOf(run);
    gains.add(stored, day, -held.quantity, 'voided', { isStated, countedIn });
    this.#dayUse.add(stored.account, day, -held.quantity, isStated);
    takenBack.push({ ...stored.series, day, quantity: -held.quantity });
    return outcome.accepted;
  }

  #isVoided({ run, position }: KeyPlace): boolean {
    return this.#findVoided.all(run, position).length > 0;
  }
}

/** A void of batch `number`: its own key, and that of its event. */
interface Void {
  readonly key: Uint32Array;
  readonly target: Uint32Array;
  readonly number: number;
}

/** Exact sums of whole numbers up to 2^53 - 1. They are numbers while they are small, which is much faster. */
class CellSums {
  readonly #small: Float64Array;
  readonly #large = new Map<number, bigint>();

  constructor(count: number) {
    this.#small = new Float64Array(count);
  }

  add(index: number, quantity: number): void {
    const sum = (this.#small[index] ?? 0) + quantity;
    if (sum <= Number.MAX_SAFE_INTEGER) {
      this.#small[index] = sum;
      return;
    }
    this.#large.set(index, this.of(index));
    this.#small[index] = quantity;
  }

  of(index: number): bigint {
    return (this.#large.get(index) ?? 0n) + BigInt(this.#small[index] ?? 0);
  }
}

/** The same bytes as 32-bit words. Each array came from another thread in its own buffer, so it is aligned. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** The cells of a batch as its runs keep them. */
function runCellsOf({ cells, stated }: KeyedEvents, stored: readonly StoredSeries[]): readonly RunCell[] {
  return stored.map(({ id }, index) => {
    return { series: id, day: cells[index]?.day ?? 0, ...(stated?.[index] === 1 && { isStated: true }) };
  });
}

/** What each cell gained by the events that were new. */
function addSums(
  keyed: KeyedEvents,
  stored: readonly StoredSeries[],
  sums: CellSums,
  gains: Gains,
): readonly Increment[] {
  const added: Increment[] = [];
  for (const [index, cell] of keyed.cells.entries()) {
    const quantity = sums.of(index);
    const series = stored[index];
    if (quantity === 0n || !series) continue;
    gains.add(series, cell.day, quantity, 'counted', { isStated: keyed.stated?.[index] === 1 });
    added.push({ ...cell, quantity });
  }
  return added;
}
