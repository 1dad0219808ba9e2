import { TonnageError } from '../../base/index.ts';
import type { WriterFile, WriterProgram } from '../../sqlite/index.ts';
import type { Day, Increment } from '../../usage/index.ts';
import { outcome, voidCell, type Batch, type KeyedEvents, type MeterDay, type OutboxStatus } from '../contract.ts';
import { Gains, Sums } from './gains.ts';
import { HeldKeys } from './held-keys.ts';
import { OutboxWriter, type ReadRule, type TrimRule } from './outbox-writer.ts';
import { keyWords } from './run-codec.ts';
import { SeriesIds, type StoredSeries } from './series-ids.ts';

export interface ProgramOptions {
  /** Bytes of the outbox at most; absent: there is no outbox. */
  readonly outboxBytesMax?: number;
  /** Keys held at most. */
  readonly heldKeysMax: number;
}

/** What `commit` answers. `known`: the batch had been stored before. */
export type CommitReply =
  | { readonly known: true }
  | {
      readonly known: false;
      readonly outcomes: Uint8Array;
      readonly added: readonly Increment[];
      readonly takenBack: readonly Increment[];
      readonly rejected: number;
      readonly outbox?: OutboxStatus;
    };

export interface TidyRule {
  readonly keys: number;
  readonly details: Day;
}

/** Rows that one slice of tidying deletes: a few milliseconds' work. */
const tidiedDetails = 500;
const tidiedRuns = 32;

const sealKeysEveryMs = 3 * 86_400_000;

/** A key may be that much younger than its receipt: events are taken so far ahead of their time. */
const aheadMs = 3_600_000;

/**
 * The ledger's writer, in the thread that has its file: decides which events are new and adds what they count, in the
 * transaction that stores the batch's number.
 */
export function createProgram(file: WriterFile, options: ProgramOptions): WriterProgram {
  const numbered = file.prepare('update ledger set last_batch = ? where last_batch = ? - 1');
  const lastNumber = file.prepare('select last_batch from ledger');
  const readDetailsFrom = file.prepare('select details_from from ledger');
  const writeDetailsFrom = file.prepare('update ledger set details_from = ?');
  const dropDetails = file.prepare(
    'delete from detail_day where (day, series) in (select day, series from detail_day where day < ? limit ?)',
  );
  const series = new SeriesIds(file);
  const keys = new HeldKeys(file, options.heldKeysMax);
  const voids = {
    find: file.prepare('select 1 from voided_key where run = ? and position = ?'),
    insert: file.prepare('insert into voided_key (run, position) values (?, ?)'),
    drop: file.prepare('delete from voided_key where run < (select coalesce(min(run), 0) from key_run)'),
  };
  const tables = new Sums(file);
  const outbox = options.outboxBytesMax === undefined ? undefined : new OutboxWriter(file, options.outboxBytesMax);
  // In a file that is only just being made there is no row yet, and there are no details to miss.
  let detailsFrom = Number(readDetailsFrom.all()[0]?.[0] ?? -Infinity);

  function write(batch: Batch): CommitReply {
    const { number, at, increments, keyed, backfill } = batch;
    if (numbered.run(number, number) === 0) return checkStored(number);
    const gains = new Gains();
    for (const increment of increments) {
      gains.add(series.of(increment), increment.day, increment.quantity, backfill ? 'backfill' : 'counted');
    }
    const claims = keyed === undefined ? noClaims : claim(keyed, gains);
    keys.write(at + aheadMs);
    const written = tables.write(gains, { number, at, detailsFrom });
    outbox?.put(number, at, written.increments);
    return { known: false, ...claims, rejected: written.rejected, ...(outbox && { outbox: outbox.status() }) };
  }

  function checkStored(number: number): CommitReply {
    const last = Number(lastNumber.all()[0]?.[0]);
    if (last >= number) return { known: true };
    throw new TonnageError('ledger_gap', `batch ${number} does not follow batch ${last}, the last one in the ledger`);
  }

  function claim(keyed: KeyedEvents, gains: Gains): Claims {
    const stored = keyed.cells.map((cell) => series.of(cell));
    const cells = stored.map(({ id }, index) => ({ series: id, day: keyed.cells[index]?.day ?? 0 }));
    const count = keyed.cellOf.length;
    const words = wordsOf(keyed.keys);
    const targets = wordsOf(keyed.targets);
    keys.begin(count + targets.length / keyWords, cells);
    const outcomes = new Uint8Array(count);
    const sums = new CellSums(cells.length);
    const takenBack: Increment[] = [];
    for (let index = 0, target = 0; index < count; index++) {
      const cell = keyed.cellOf[index] ?? voidCell;
      const offset = index * keyWords;
      if (cell === voidCell) {
        outcomes[index] = takeBack(words, offset, targets, target, gains, takenBack);
        target += keyWords;
        continue;
      }
      const held = keys.find(words, offset);
      if (held) {
        outcomes[index] = held.kind === 'tombstone' ? outcome.voided : outcome.duplicate;
        continue;
      }
      const quantity = keyed.quantities[index] ?? 1;
      keys.claim(words, offset, cell, quantity);
      sums.add(cell, quantity);
    }
    return { outcomes, added: addSums(keyed, stored, sums, gains), takenBack };
  }

  function takeBack(
    words: Uint32Array,
    offset: number,
    targets: Uint32Array,
    target: number,
    gains: Gains,
    takenBack: Increment[],
  ): number {
    if (keys.find(words, offset)) return outcome.duplicate;
    const held = keys.find(targets, target);
    if (held?.kind === 'void') return outcome.notVoidable;
    keys.claimVoid(words, offset);
    if (held === undefined) {
      keys.leaveTombstone(targets, target);
      return outcome.accepted;
    }
    if (held.kind === 'tombstone') return outcome.duplicate;
    const { run, position } = held.place;
    if (voids.find.all(run, position).length > 0) return outcome.duplicate;
    voids.insert.run(run, position);
    const stored = series.byId(held.cell.series);
    gains.add(stored, held.cell.day, -held.quantity, 'voided');
    takenBack.push({ ...stored.series, day: held.cell.day, quantity: -held.quantity });
    return outcome.accepted;
  }

  return {
    commit(batch: Batch): CommitReply {
      try {
        const reply = file.transact(() => write(batch));
        outbox?.keep();
        keys.sealEvery(sealKeysEveryMs, batch.at);
        return reply;
      } catch (error) {
        series.forget();
        throw error;
      } finally {
        keys.end();
        outbox?.end();
      }
    },
    tidy(rule: TidyRule): boolean {
      return file.transact(() => {
        if (rule.details > detailsFrom) writeDetailsFrom.run(rule.details);
        const moreKeys = keys.dropBefore(rule.keys, tidiedRuns);
        if (!moreKeys) voids.drop.run();
        const dropped = dropDetails.run(rule.details, tidiedDetails);
        detailsFrom = Math.max(detailsFrom, rule.details);
        return moreKeys || dropped === tidiedDetails;
      });
    },
    ...(outbox && outboxFunctions(outbox)),
  };
}

function outboxFunctions(outbox: OutboxWriter): WriterProgram {
  return {
    outboxTrim: (rule: TrimRule) => outbox.trim(rule),
    outboxRead: (rule: ReadRule) => outbox.read(rule),
    outboxTouchedBefore: (rule: { readonly day: Day; readonly max: number }) => outbox.touchedBefore(rule),
    outboxUntouch: (days: readonly MeterDay[]) => outbox.untouch(days),
    outboxStatus: () => outbox.status(),
  };
}

interface Claims {
  readonly outcomes: Uint8Array;
  readonly added: readonly Increment[];
  readonly takenBack: readonly Increment[];
}

const noClaims: Claims = { outcomes: new Uint8Array(), added: [], takenBack: [] };

/** Sums of whole numbers up to 2^53 - 1, exact: as numbers while they are small, which is far quicker. */
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

/** The same bytes as 32-bit words. They came from another thread as a buffer of their own, so they are aligned. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
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
    gains.add(series, cell.day, quantity, 'counted');
    added.push({ ...cell, quantity });
  }
  return added;
}
