import type { Day, Increment } from '../usage/index.ts';
import type { BatchHistory, BatchId, Delivered, OutboxBatch, RemoteTotals, Totals } from './contract.ts';

/** Whose name goes: an organisation, or a user under each of the texts that may stand for one. */
export interface ErasedNames {
  readonly dimension: 'org' | 'user';
  readonly values: readonly string[];
}

/** What a ledger has counted for one meter on one day: its accounts, the `quantity` of each being all of it. */
export interface OwnDay {
  readonly meter: string;
  readonly day: Day;
  readonly accounts: readonly Increment[];
}

/** Everything that a ledger has counted, as of one batch. */
export interface OwnCounts {
  /** All meters that this ledger may ever have counted for. */
  readonly meters: readonly string[];
  /** By meter, the days of each in their order; each meter and day once. */
  days(): AsyncIterable<OwnDay>;
  /** The cells of one meter and day, in pages. */
  details(meter: string, day: Day): AsyncIterable<readonly Increment[]>;
}

export interface RebuildProgress {
  /** Days of meters that are done. */
  readonly days: number;
  /** Accounts that were not what they should be, and are now. */
  readonly adjusted: number;
}

export interface Rebuilt extends RebuildProgress {
  /** Accounts and shared fields that are still wrong, since a field holds no integer or would overflow. */
  readonly rejected: number;
}

/** What a ledger has given to one day or month elsewhere: account field (`redis/layout.ts`) -> count, as text. */
export type HeldAccounts = ReadonlyMap<string, string>;

/** A store of totals elsewhere, as it is looked after for one ledger. All reject as `RemoteTotals` does. */
export interface RemoteCare extends Pick<RemoteTotals, 'confirmed'>, Totals {
  /** Whom it is, for people; without credentials. */
  readonly name: string;
  /** The first day whose details are kept there. */
  readonly detailsFrom: Day;
  /** As `RemoteTotals.position`, for the ledger with this history. */
  position(history: BatchHistory): Promise<number>;
  /** As `RemoteTotals.deliver`. */
  deliver(batches: readonly OutboxBatch[], history: BatchHistory): Promise<Delivered>;
  /**
   * Changes nothing, and rejects as a delivery would that cannot be written: `redis_refused` (memory is full, no right to
   * write, a disk that fails), `store_invalid` (something else stands where the sums belong).
   */
  assertWritable(): Promise<void>;
  /** Days on which this ledger has counted there. */
  ownDays(meter: string): Promise<readonly Day[]>;
  ownDay(meter: string, day: Day): Promise<HeldAccounts>;
  ownMonth(meter: string, month: Day): Promise<HeldAccounts>;
  /** Days on which another ledger has counted there. */
  othersDays(meter: string): Promise<readonly Day[]>;
  /** What all other ledgers together have counted on a day. */
  othersDay(meter: string, day: Day): Promise<HeldAccounts>;
  /** Days on which somebody who is no ledger has counted, and may count still. */
  foreignDays(meter: string): Promise<readonly Day[]>;
  /** Whether Wave has counted there under names that no import has looked through. */
  hasUnknownWave(): Promise<boolean>;
  /**
   * Looks through what Wave has counted there, so that answers have all of it. Resolves with the number of fields that
   * nobody can assign to a meter, organisation, architecture or day; those are in no answer.
   */
  importWave(onProgress?: OnProgress): Promise<number>;
  /** Deletes this ledger's details of a day that lies before `detailsFrom`. Totals stay. */
  dropDetails(meter: string, day: Day): Promise<void>;
  /** Makes the store hold what `own` says, up to `batch`, and leaves alone what others have counted. */
  rebuild(own: OwnCounts, batch: BatchId, onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** Deletes what the store still has under an organisation in the sums of these meters, whoever counted it. */
  eraseNames(org: string, meters: readonly string[]): Promise<void>;
  /** Whether Wave may still be counting there. */
  readonly besideWave: boolean;
  /** Whether sums of these meters stand under the name of an organisation, whoever counted them. */
  knows(names: ErasedNames, meters: readonly string[]): Promise<boolean>;
  /** Takes names out of what the instances that share events remember of them. */
  eraseClaims(names: ErasedNames): Promise<void>;
  /** The token of the time when this ledger took what is there into its own file; absent: it never did. */
  takenToken(): Promise<string | undefined>;
  noteTaken(token: string): Promise<void>;
  close(): Promise<void>;
}

/** How far a long piece of work is: `done` of about `total`. */
interface CareProgress {
  readonly work: string;
  readonly done: number;
  readonly total: number;
}

export type OnProgress = (progress: CareProgress) => void;
