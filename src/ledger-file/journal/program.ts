import { assert, limits, TonnageError } from '../../base/index.ts';
import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import type { Day } from '../../usage/index.ts';
import type { AccountTotal, Batch, ClaimRequest, LedgerGap, MeterDay, OutboxStatus } from '../../store/index.ts';
import { newBatchToken, textOf } from './batch-history.ts';
import { Claims, nothingClaimed, type Claimed } from './claims.ts';
import { CountedRuns } from './counted-runs.ts';
import { DayUse } from './day-use.ts';
import { erasingFunctions } from './erasing.ts';
import { Gains, Sums } from './gains.ts';
import { HeldKeys } from './held-keys.ts';
import { OutboxWriter, type AsOfRule, type ReadRule, type TrimRule } from './outbox-writer.ts';
import { PendingClaims } from './pending-claims.ts';
import { SeriesIds } from './series-ids.ts';

export interface WriterOptions {
  /** Maximum size of the outbox. Absent: there is no outbox. */
  readonly outboxBytesMax?: number;
  /** Maximum of keys held. */
  readonly heldKeysMax: number;
  /** Maximum of events that wait to be claimed. Absent: events count at once, since no other instance receives them. */
  readonly pendingClaimsMax?: number;
}

/** The result of a batch. `known`: it was stored before. */
type Written =
  | { readonly known: true }
  | (Claimed & {
      readonly known: false;
      readonly rejected: number;
      readonly rejectedOf: readonly AccountTotal[];
      readonly outbox?: OutboxStatus;
    });

/** The result of `commit`, with the number of events that wait to be claimed, and of keys held. */
type CommitReply = Written & { readonly pending?: number; readonly heldKeys: number };

interface TidyRule {
  readonly keys: number;
  readonly details: Day;
}

/** Rows that one call of `tidy` deletes, which takes a few milliseconds. */
const tidiedDetails = 500;
const tidiedRuns = 32;

const sealKeysEveryMs = 3 * 86_400_000;

/**
 * The writer of the ledger, in the thread that has its file. It decides which events are new and adds what they count,
 * in the transaction that stores the number of the batch.
 */
export function createWriterProgram(file: ProgramFile, options: WriterOptions) {
  const outbox = options.outboxBytesMax === undefined ? undefined : new OutboxWriter(file, options.outboxBytesMax);
  const writer = new LedgerWriter(file, options, outbox);
  return {
    commit: (batch: Batch) => writer.commit(batch),
    tidy: (rule: TidyRule) => writer.tidy(rule),
    heldKeys: () => writer.heldKeys(),
    pendingEvents: () => writer.pendingEvents(),
    pendingRead: (max: number) => writer.readPending(max),
    ...erasingFunctions(file, outbox),
    ...outboxFunctions(outbox),
  };
}

/** The functions of the thread that writes the ledger's file. */
export type WriterFunctions = ReturnType<typeof createWriterProgram>;

class LedgerWriter {
  readonly #file: ProgramFile;
  readonly #outbox: OutboxWriter | undefined;
  readonly #series: SeriesIds;
  readonly #keys: HeldKeys;
  readonly #pending: PendingClaims | undefined;
  readonly #dayUse: DayUse;
  readonly #claims: Claims;
  readonly #counted: CountedRuns;
  readonly #tables: Sums;
  readonly #setLast: ProgramStatement;
  readonly #last: ProgramStatement;
  readonly #writeDetailsFrom: ProgramStatement;
  readonly #dropDetails: ProgramStatement;
  #detailsFrom: Day;

  constructor(file: ProgramFile, options: WriterOptions, outbox: OutboxWriter | undefined) {
    const { heldKeysMax, pendingClaimsMax } = options;
    this.#file = file;
    this.#outbox = outbox;
    this.#series = new SeriesIds(file);
    this.#keys = new HeldKeys(file, heldKeysMax);
    this.#counted = new CountedRuns(file);
    const parts = { keys: this.#keys, series: this.#series, counted: this.#counted };
    this.#pending = pendingClaimsMax === undefined ? undefined : new PendingClaims(file, parts, pendingClaimsMax);
    this.#dayUse = new DayUse(file, (dayUse) => this.#pending?.addTo(dayUse));
    this.#claims = new Claims(file, { ...parts, dayUse: this.#dayUse, pending: this.#pending });
    this.#tables = new Sums(file);
    this.#setLast = file.prepare('update ledger set last_batch = ?, last_token = ?');
    this.#last = file.prepare('select last_batch, last_token from ledger');
    this.#writeDetailsFrom = file.prepare('update ledger set details_from = ?');
    this.#dropDetails = file.prepare(
      'delete from detail_day where (day, series) in (select day, series from detail_day where day < ? limit ?)',
    );
    // A new file has no row yet, and no details.
    this.#detailsFrom = Number(file.prepare('select details_from from ledger').all()[0]?.[0] ?? -Infinity);
  }

  commit(batch: Batch): CommitReply {
    try {
      const reply = this.#file.transact(() => this.#write(batch));
      this.#keys.end();
      this.#outbox?.keep();
      this.#pending?.keep();
      this.#keys.sealEvery(sealKeysEveryMs, batch.at);
      return { ...reply, heldKeys: this.#keys.size, ...(this.#pending && { pending: this.#pending.events }) };
    } catch (error) {
      this.#series.forget();
      this.#dayUse.forget();
      this.#keys.giveUp();
      throw error;
    } finally {
      this.#outbox?.end();
      this.#pending?.end();
    }
  }

  heldKeys(): number {
    return this.#keys.size;
  }

  pendingEvents(): number {
    return this.#pending?.events ?? 0;
  }

  /** In a transaction, because it may create the account of a series. */
  readPending(max: number): ClaimRequest | undefined {
    return this.#file.transact(() => this.#pending?.read(max));
  }

  /** As `Journal.tidy`. */
  tidy({ keys, details }: TidyRule): boolean {
    return this.#file.transact(() => {
      if (details > this.#detailsFrom) this.#writeDetailsFrom.run(details);
      const moreKeys = this.#keys.dropBefore(keys, tidiedRuns);
      if (!moreKeys) this.#claims.dropVoided();
      const dropped = this.#dropDetails.run(details, tidiedDetails);
      this.#detailsFrom = Math.max(this.#detailsFrom, details);
      return moreKeys || dropped === tidiedDetails;
    });
  }

  #write({ number, at, increments, keyed, claims, backfill }: Batch): Written {
    const [last, previousToken] = this.#last.all()[0] ?? [];
    if (Number(last) !== number - 1) return checkStored(number, Number(last));
    const token = newBatchToken();
    this.#setLast.run(number, token);
    const gains = new Gains();
    for (const increment of increments) {
      const origin = backfill ? 'backfill' : 'counted';
      gains.add(this.#series.of(increment), increment.day, increment.quantity, origin);
    }
    // Keyed events add to the use of days one by one, below.
    for (const { account, days } of gains.accounts) {
      for (const [day, { quantity }] of days) this.#dayUse.add(account, day, quantity);
    }
    const settled = claims && this.#pending?.settle(claims, { gains, dayUse: this.#dayUse, batch: number });
    const claimed = keyed === undefined ? nothingClaimed : this.#claims.take(keyed, gains, number);
    // A key is kept from the time of its event, which may be this far ahead of its receipt.
    const runs = this.#keys.write(at + limits.eventAheadMsMax);
    this.#pending?.add(runs);
    if (this.#outbox && !this.#pending) for (const { run } of runs) this.#counted.note(run, number);
    const counting = this.#pending ? (claims?.runs ?? []) : runs.map(({ run }) => run);
    const written = this.#tables.write(gains, { number, at, detailsFrom: this.#detailsFrom, runs: counting });
    this.#outbox?.put({ number, token, previousToken: textOf(previousToken) }, at, written.increments);
    const outbox = this.#outbox?.status();
    const { rejected, rejectedOf } = written;
    return { known: false, ...claimed, ...settled, rejected, rejectedOf, ...(outbox && { outbox }) };
  }
}

function checkStored(number: number, last: number): Written {
  if (last >= number) return { known: true };
  throw new TonnageError('ledger_gap', `batch ${number} does not follow batch ${last}, the last one in the ledger`);
}

function outboxFunctions(outbox: OutboxWriter | undefined) {
  const open = (): OutboxWriter => {
    assert(outbox, 'the file was opened with an outbox');
    return outbox;
  };
  return {
    outboxTrim: (rule: TrimRule) => open().trim(rule),
    outboxRead: (rule: ReadRule) => open().read(rule),
    outboxTouchedBefore: (rule: { readonly day: Day; readonly max: number }) => open().touchedBefore(rule),
    outboxTouchedAsOf: (rule: AsOfRule) => open().touchedAsOf(rule),
    outboxUntouch: (days: readonly MeterDay[]) => open().untouch(days),
    outboxLookUp: (number: number) => open().lookUp(number),
    outboxGap: () => open().gap(),
    outboxNoteGap: (gap: LedgerGap | undefined) => open().noteGap(gap),
    outboxStatus: () => open().status(),
  };
}
