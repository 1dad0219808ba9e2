import { assert, TonnageError } from '../../base/index.ts';
import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { type Day, type Increment, outcome, voidCell } from '../../usage/index.ts';
import type { ClaimedPlace, ClaimRequest, ClaimTarget, SettledClaims } from '../../store/index.ts';
import type { DayUse } from './day-use.ts';
import type { Gains } from './gains.ts';
import type { CountedRuns } from './counted-runs.ts';
import type { KeyPlace } from './held-keys.ts';
import { decodeRun, keyWords, tombstoneEntry, voidEntry, type Run, type RunCell } from './run-codec.ts';
import type { SeriesIds, StoredSeries } from './series-ids.ts';

/** Maximum of runs read for one request: a run may hold only one event. */
const requestedRunsMax = 2_000;

/** What the claims of a batch added and took back. */
export interface Settled {
  readonly added: readonly Increment[];
  readonly takenBack: readonly Increment[];
}

/** The sum of the claimed events of one cell. */
interface ClaimedSum {
  readonly stored: StoredSeries;
  readonly day: Day;
  readonly isStated: boolean;
  quantity: bigint;
}

/** Where claimed events are added: the gains of batch `batch`, and the use of days. */
interface SettleInto {
  readonly gains: Gains;
  readonly dayUse: DayUse;
  readonly batch: number;
}

type Request = { -readonly [K in keyof ClaimRequest]: ClaimRequest[K][number][] };

/** Where the target of a void is held, and whether an earlier void has taken it back already. */
type HeldTarget = KeyPlace & { readonly isVoided: boolean };

/**
 * Events that are stored here and count nothing yet, because another instance may have received them first. The
 * transaction that stores their keys records the runs of these keys and the targets of their voids. The transaction
 * that counts the events deletes these records.
 */
export class PendingClaims {
  readonly #series: SeriesIds;
  readonly #counted: CountedRuns;
  readonly #eventsMax: number;
  readonly #insert: ProgramStatement;
  readonly #insertVoid: ProgramStatement;
  readonly #select: ProgramStatement;
  readonly #selectVoid: ProgramStatement;
  readonly #selectRun: ProgramStatement;
  readonly #selectEarlier: ProgramStatement;
  readonly #remove: ProgramStatement;
  readonly #removeVoids: ProgramStatement;
  #events: number;
  #change = 0;

  constructor(
    file: ProgramFile,
    { series, counted }: { readonly series: SeriesIds; readonly counted: CountedRuns },
    eventsMax: number,
  ) {
    this.#series = series;
    this.#counted = counted;
    this.#eventsMax = eventsMax;
    this.#insert = file.prepare('insert into pending_claim (run, events) values (?, ?)');
    this.#insertVoid = file.prepare(
      `insert into pending_void (run, position, target, target_run, target_position, target_voided)
        values (?, ?, ?, ?, ?, ?)`,
    );
    this.#select = file.prepare(
      'select run, events, entries from pending_claim join key_run using (run) where run >= ? order by run limit ?',
    );
    this.#selectVoid = file.prepare(
      'select target, target_run, target_position, target_voided from pending_void where run = ? and position = ?',
    );
    this.#selectRun = file.prepare('select entries from key_run where run = ?');
    this.#selectEarlier = file.prepare('select 1 from key_run where run <= ? limit 1');
    this.#remove = file.prepare('delete from pending_claim where run = ?');
    this.#removeVoids = file.prepare('delete from pending_void where run = ?');
    this.#events = Number(file.prepare('select coalesce(sum(events), 0) from pending_claim').all()[0]?.[0]);
  }

  /** The number of events that wait, without those of the current transaction. */
  get events(): number {
    return this.#events;
  }

  /** Records that these runs wait. Throws `ledger_full` if too many events wait already. */
  add(runs: readonly { readonly run: number; readonly keys: number }[]): void {
    for (const { run, keys } of runs) {
      this.#insert.run(run, keys);
      this.#change += keys;
    }
    if (this.#change <= 0 || this.#events + this.#change <= this.#eventsMax) return;
    throw new TonnageError(
      'ledger_full',
      `${this.#events} events wait to be claimed in the store that the instances share, ${this.#eventsMax} at most: ` +
        'no event with an identity is taken until some are',
    );
  }

  /** Records the target of the void at this place, and where this ledger holds the key of the target, if it does. */
  addVoid({ run, position }: KeyPlace, target: Uint32Array, held?: HeldTarget): void {
    const place = held ? [held.run, held.position, held.isVoided ? 1 : 0] : [null, null, 0];
    this.#insertVoid.run(run, position, Uint8Array.from(bytesOf(target)), ...place);
  }

  /** A request for the oldest events: whole runs with at most `max` events together, or one run. `undefined` if none waits. */
  read(max: number): ClaimRequest | undefined {
    const request: Request = {
      runs: [],
      keys: [],
      places: [],
      cellOf: [],
      quantities: [],
      cells: [],
      targets: [],
    };
    let held = 0;
    // Reads only as many runs as fit into the request.
    for (let from = 0; request.runs.length < requestedRunsMax;) {
      const rows = this.#select.all(from, 16);
      for (const [number, events, entries] of rows) {
        const [run, count] = [Number(number), Number(events)];
        if (held > 0 && held + count > max) return request;
        assert(entries instanceof Uint8Array, 'a run has entries');
        this.#addRun(request, run, decodeRun(entries));
        held += count;
        from = run + 1;
      }
      if (rows.length < 16) break;
    }
    return request.runs.length === 0 ? undefined : request;
  }

  /** Adds waiting events to the use of days. */
  addTo(dayUse: DayUse): void {
    for (let from = 0; ;) {
      const rows = this.#select.all(from, 16);
      for (const [run, , entries] of rows) {
        from = Number(run) + 1;
        if (!(entries instanceof Uint8Array)) continue;
        const { cellOf, cells, quantities } = decodeRun(entries);
        for (const [position, entry] of cellOf.entries()) {
          const cell = cells[entry];
          if (!cell) continue;
          const { account } = this.#series.byId(cell.series);
          dayUse.addWaiting(account, cell.day, quantities?.[position] ?? 1, cell.isStated === true);
        }
      }
      if (rows.length < 16) return;
    }
  }

  /**
   * Adds the accepted claims to `gains` and deletes their records; subtracts the others from the use of days. Call it
   * in the transaction of a batch.
   */
  settle({ runs, verdicts, takenBack }: SettledClaims, { gains, dayUse, batch }: SettleInto): Settled {
    const sums = new Map<string, ClaimedSum>();
    let next = 0;
    for (const run of runs) {
      const { cellOf, cells, quantities } = this.#runOf(run);
      const outcomes = new Uint8Array(cellOf.length);
      for (const [position, entry] of cellOf.entries()) {
        if (entry === tombstoneEntry) continue;
        const verdict = verdicts[next++];
        outcomes[position] = verdict ?? outcome.accepted;
        const cell = cells[entry];
        if (entry === voidEntry || !cell) continue;
        const quantity = BigInt(quantities?.[position] ?? 1);
        if (verdict === outcome.accepted) this.#sumOf(sums, cell).quantity += quantity;
        else dayUse.add(this.#series.byId(cell.series).account, cell.day, -quantity, cell.isStated);
      }
      this.#counted.note(run, batch, outcomes);
      this.#take(run, cellOf.length);
    }
    assert(next === verdicts.length, 'each claim of the runs has a verdict');
    const added: Increment[] = [];
    for (const { stored, day, isStated, quantity } of sums.values()) {
      gains.add(stored, day, quantity, 'counted', { isStated });
      added.push({ ...stored.series, day, quantity });
    }
    const kept = takenBack.filter(({ place }) => !place || this.#isHeld(place));
    const voided = kept.filter((increment) => this.#addVoided(increment, gains, dayUse));
    return { added, takenBack: voided };
  }

  #sumOf(sums: Map<string, ClaimedSum>, { series, day, isStated = false }: RunCell): ClaimedSum {
    const key = `${series} ${day} ${isStated}`;
    let sum = sums.get(key);
    if (!sum) sums.set(key, (sum = { stored: this.#series.byId(series), day, isStated, quantity: 0n }));
    return sum;
  }

  /** Commit. */
  keep(): void {
    this.#events += this.#change;
    this.end();
  }

  /** The batch has ended, committed or not. */
  end(): void {
    this.#change = 0;
  }

  /** Returns false for what this ledger never added, because the sum would have overflowed. */
  #addVoided(increment: SettledClaims['takenBack'][number], gains: Gains, dayUse: DayUse): boolean {
    const { day, quantity, place } = increment;
    const stored = this.#series.of(increment);
    if (place && !this.#counted.hasCounted(place, stored.id, day)) return false;
    const countedIn = place && this.#counted.batchOf(place.run);
    gains.add(stored, day, quantity, 'voided', { countedIn });
    dayUse.add(stored.account, day, quantity);
    return true;
  }

  /**
   * Returns false for an event that this ledger claimed and then lost, because it was set back: another event may have
   * the place. An expired run is not lost.
   */
  #isHeld({ run, position, key }: ClaimedPlace): boolean {
    const [entries] = this.#selectRun.all(run)[0] ?? [];
    if (!(entries instanceof Uint8Array)) return this.#selectEarlier.all(run).length === 0;
    const { keys } = decodeRun(entries);
    const held = bytesOf(keys.subarray(position * keyWords, (position + 1) * keyWords));
    return Buffer.from(held).toString('hex') === key;
  }

  #runOf(run: number): Run {
    const [row] = this.#select.all(run, 1);
    const entries = row?.[2];
    // Settling a run twice would count it twice.
    assert(Number(row?.[0]) === run && entries instanceof Uint8Array, `run ${run} waits to be claimed`);
    return decodeRun(entries);
  }

  #take(run: number, keys: number): void {
    this.#remove.run(run);
    this.#removeVoids.run(run);
    this.#change -= keys;
  }

  #addRun(request: Request, run: number, { keys, cellOf, cells, quantities }: Run): void {
    const firstCell = request.cells.length;
    request.runs.push(run);
    for (const { series, day } of cells) request.cells.push({ ...this.#series.byId(series).series, day });
    const bytes = Buffer.from(bytesOf(keys));
    for (const [position, entry] of cellOf.entries()) {
      if (entry === tombstoneEntry) continue;
      request.keys.push(bytes.toString('hex', 4 * keyWords * position, 4 * keyWords * (position + 1)));
      request.places.push(`${run}.${position}`);
      request.cellOf.push(entry === voidEntry ? voidCell : firstCell + entry);
      request.quantities.push(quantities?.[position] ?? 1);
      if (entry === voidEntry) this.#addTarget(request, run, position);
    }
  }

  #addTarget(request: Request, run: number, position: number): void {
    const [target, heldRun, heldPosition, voided] = this.#selectVoid.all(run, position)[0] ?? [];
    assert(target instanceof Uint8Array, `the void ${run}.${position} has a target`);
    const place = { run: Number(heldRun), position: Number(heldPosition), isVoided: Number(voided) === 1 };
    const held = typeof heldRun === 'bigint' ? this.#heldEvent(request, place) : undefined;
    request.targets.push({ key: Buffer.from(target).toString('hex'), ...(held && { held }) });
  }

  /** What an event added that this ledger may have counted before it shared its events. */
  #heldEvent(request: Request, place: HeldTarget): ClaimTarget['held'] {
    const [entries] = this.#selectRun.all(place.run)[0] ?? [];
    if (!(entries instanceof Uint8Array)) return undefined;
    const { cellOf, cells, quantities } = decodeRun(entries);
    const cell = cells[cellOf[place.position] ?? voidEntry];
    if (!cell) return undefined;
    const { id, series } = this.#series.byId(cell.series);
    if (!this.#counted.hasCounted(place, id, cell.day)) return undefined;
    request.cells.push({ ...series, day: cell.day });
    const quantity = quantities?.[place.position] ?? 1;
    const [cellAt, { isVoided }] = [request.cells.length - 1, place];
    return { place: `${place.run}.${place.position}`, cell: cellAt, quantity, isVoided };
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
