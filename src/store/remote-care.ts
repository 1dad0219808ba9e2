import type { Day, Increment } from '../usage/index.ts';
import type { BatchHistory, BatchId, Delivered, OutboxBatch, Totals } from './contract.ts';

/** The name to erase: an organisation, or a user with all texts that may represent it. */
export interface ErasedNames {
  readonly dimension: 'org' | 'user';
  readonly values: readonly string[];
}

/** The counts of a ledger for one meter on one day, one entry for each account. */
export interface OwnDay {
  readonly meter: string;
  readonly day: Day;
  readonly accounts: readonly Increment[];
}

/** Everything that a ledger has counted, as of one batch. */
export interface OwnCounts {
  /** All meters that this ledger may ever have counted for. */
  readonly meters: readonly string[];
  /** All days of one meter in order, then those of the next meter. */
  days(): AsyncIterable<OwnDay>;
  /** The cells of one meter and day, in pages. */
  details(meter: string, day: Day): AsyncIterable<readonly Increment[]>;
}

export interface RebuildProgress {
  /** The number of days of meters that are done. */
  readonly days: number;
  /** The number of accounts that were wrong and are now correct. */
  readonly adjusted: number;
}

export interface Rebuilt extends RebuildProgress {
  /** The number of accounts and shared fields that are still wrong: a field is no integer, or would overflow. */
  readonly rejected: number;
}

/** The counts of one ledger for one day or month in a remote store: `accountKey` -> count, as text. */
export type HeldAccounts = ReadonlyMap<string, string>;

/** A remote store, for the maintenance of one ledger. All functions reject as those of `RemoteTotals`. */
export interface RemoteCare extends Totals {
  /** The store's name in messages. */
  readonly name: string;
  /** The first day whose details are kept there. */
  readonly detailsFrom: Day;
  /** As `RemoteTotals.position`, for the ledger with this history. */
  position(history: BatchHistory): Promise<number>;
  /** As `RemoteTotals.deliver`. */
  deliver(batches: readonly OutboxBatch[], history: BatchHistory): Promise<Delivered>;
  /**
   * Changes nothing. Rejects if a delivery could not be written: with `redis_refused` (full memory, no right to write,
   * a failing disk), or `store_invalid` (the keys of the sums have another type).
   */
  assertWritable(): Promise<void>;
  /** Days on which this ledger has counted there. */
  ownDays(meter: string): Promise<readonly Day[]>;
  ownDay(meter: string, day: Day): Promise<HeldAccounts>;
  ownMonth(meter: string, month: Day): Promise<HeldAccounts>;
  /** Days on which another ledger has counted there. */
  othersDays(meter: string): Promise<readonly Day[]>;
  /** The counts of all other ledgers together on a day. */
  othersDay(meter: string, day: Day): Promise<HeldAccounts>;
  /** Days on which Wave has counted, and may still count. */
  foreignDays(meter: string): Promise<readonly Day[]>;
  /** Whether Wave has counted there under names that were never imported. */
  hasUnknownWave(): Promise<boolean>;
  /**
   * Imports the names under which Wave has counted there, so that answers include its counts. Resolves with the number
   * of fields that do not name a meter, organisation, architecture or day; no answer includes those.
   */
  importWave(onProgress?: OnProgress): Promise<number>;
  /** Deletes this ledger's details of a day that lies before `detailsFrom`. Totals stay. */
  dropDetails(meter: string, day: Day): Promise<void>;
  /** Makes this ledger's counts there those of `own`, which ends with `batch`. Keeps those of other ledgers and Wave. */
  rebuild(own: OwnCounts, batch: BatchId, onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** Deletes an organisation's counts from the sums of these meters, including those of other ledgers and Wave. */
  eraseNames(org: string, meters: readonly string[]): Promise<void>;
  /** Whether Wave may still be counting there. */
  readonly besideWave: boolean;
  /** Whether these meters have sums of an organisation of these names, including those of other ledgers and Wave. */
  knows(names: ErasedNames, meters: readonly string[]): Promise<boolean>;
  /** Removes names from the claims of the instances that share events. */
  eraseClaims(names: ErasedNames): Promise<void>;
  /** The token of the migration that copied this store's counts into the ledger file; `undefined` if there was none. */
  takenToken(): Promise<string | undefined>;
  /** Stores that token. */
  noteTaken(token: string): Promise<void>;
  close(): Promise<void>;
}

/** The progress of a long piece of work: `done` of about `total`. */
interface CareProgress {
  readonly work: string;
  readonly done: number;
  readonly total: number;
}

export type OnProgress = (progress: CareProgress) => void;
