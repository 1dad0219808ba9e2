import type { Clock } from '../base/index.ts';
import type { Day, Increment } from '../usage/index.ts';
import type { BatchHistory, Journal, LedgerGap, MeterDay } from './contract.ts';
import type { ErasedNames, OwnCounts } from './remote-care.ts';

/** What a ledger records about itself. */
export interface LedgerFacts {
  readonly ledgerId: string;
  readonly timeZone: string;
  readonly lastBatch: number;
  /** Token of that batch; empty in a batch of an older release. */
  readonly lastToken: string;
  /** Number of the last batch that is known to be delivered to a store elsewhere. */
  readonly delivered: number;
  /** The first day whose details are kept. */
  readonly detailsFrom: Day;
  readonly hashKey: Uint8Array;
  /** The loss that the ledger knows of. */
  readonly gap: LedgerGap | undefined;
}

/** One thing that is wrong with a ledger file. */
export interface LedgerFinding {
  readonly line: string;
  /** Whether a rebuild repairs it. */
  readonly isMendable: boolean;
}

/** The result of a restore. */
export interface Restored {
  /** Where the replaced ledger is kept; absent if there was none. */
  readonly keptAs?: string;
  /** What is wrong with the backup; a rebuild repairs all of it. */
  readonly findings: readonly string[];
}

/** Everything that a ledger file has counted. */
export interface FileCounts extends OwnCounts {
  /** The number of days of all meters together. */
  readonly dayCount: number;
  /** The accounts of one meter and day, without those that are 0. */
  accounts(day: MeterDay): Promise<readonly Increment[]>;
  /** The accounts of one meter and month (its first day), without those that are 0. */
  monthAccounts(month: MeterDay): Promise<readonly Increment[]>;
  /** The sums of all time of one meter by organisation or by architecture, without those of no name. */
  sumsBy(name: 'org' | 'arch', meter: string): Promise<Map<string, bigint>>;
}

/** What a ledger file has under a name. */
export interface NamedCounts {
  readonly series: number;
  readonly cells: number;
  /** One entry for each meter, ordered by name: meters count in different units. */
  readonly counts: readonly { readonly meter: string; readonly quantity: bigint }[];
}

/** A ledger file that is open for reading. A server may be writing to it. */
export interface LedgerReader {
  readonly history: BatchHistory;
  /** `undefined` until a server has opened the file: `tonnage token` may have created it. Works with older schema versions. */
  identity(): Promise<{ readonly timeZone: string; readonly hashKey?: Uint8Array } | undefined>;
  /** The schema version of the file, and the version that this release uses. */
  schema(): Promise<{ readonly version: number; readonly current: number }>;
  /** Rejects with `data_invalid` if there is no identity. */
  facts(): Promise<LedgerFacts>;
  /** Whether the ledger delivers batches to a store elsewhere, or did until now. Works with older schema versions. */
  delivers(): Promise<boolean>;
  /** Counts as of now. `meters`: meters to include in `FileCounts.meters` in addition to those in the file. */
  counts(meters: readonly string[]): Promise<FileCounts>;
  countNamed(names: ErasedNames): Promise<NamedCounts>;
  /** The number of batches after the last one that is known to be delivered. */
  undelivered(): Promise<number>;
  /** The number of events that wait to be claimed among several instances. */
  pendingEvents(): Promise<number>;
  /** Whether the ledger took over the counts of a store when that store was given this token. */
  hasTaken(token: string): Promise<boolean>;
}

/** A ledger file that is open for writing, while no server has it open. */
export interface LedgerEditor extends LedgerReader {
  /** Makes the sums of all accounts again from the details, in one transaction. Days without details keep theirs. */
  rebuildSums(): Promise<void>;
  /** Makes this a ledger that keeps its totals itself: empties the outbox and forgets deliveries and losses. */
  keepTotals(): Promise<void>;
  /**
   * Records that a store elsewhere has everything up to the last batch, with details from day `detailsFrom` on, so that
   * the next delivery follows that batch. Keeps the outbox if it reaches up to the last batch: a failover may need it.
   */
  noteRebuilt(detailsFrom: Day): Promise<void>;
  /** Records that the ledger has taken over the counts of the store that was given this token. */
  noteTaken(token: string, at: number): Promise<void>;
}

/** A ledger file that is open for writing batches. */
export interface BatchEditor extends LedgerEditor {
  readonly journal: Journal;
  /**
   * Moves all counts under a name to the same series without the name, some thousands of cells in each batch, then
   * removes the series. Yields the number of cells after each batch. Safe to interrupt and to start again.
   */
  eraseNames(names: ErasedNames, clock: Clock): AsyncIterable<number>;
  emptyOutbox(): Promise<void>;
}

/**
 * A marker beside the ledger file for as long as a name is being erased. It reveals an interrupted run when the ledger
 * itself no longer knows the name. It holds a keyed hash of the name.
 */
export interface EraseMark {
  /** Whether the erasure of this name was started and has not finished. */
  readonly isSet: boolean;
  set(): void;
  clear(): void;
}

/** The file of a ledger, for the maintenance commands. All functions reject with `data_invalid` for a damaged file. */
export interface LedgerFile {
  readonly path: string;
  /** Throws `not_found` if there is no file, and `data_invalid` if it is a directory or empty. */
  assertThere(): void;
  /** Runs `work` under the lock of the data directory, which is created if missing. Rejects with `data_locked` while a server runs. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Looks for damage to the file, and for tables that disagree. Safe while a server runs. Rejects with `data_version`
   * for the file of a newer release.
   */
  inspect(): Promise<readonly LedgerFinding[]>;
  /** Copies the ledger, as it is at one moment, to a file that must not exist yet. Safe while a server runs. */
  backup(copy: string): Promise<void>;
  /**
   * Replaces the ledger by a backup and keeps the replaced file. Rejects with `data_invalid` for a file that is no ledger, and
   * for one with findings: if `takesFindings`, only if a rebuild does not repair all of them. The caller holds the lock.
   */
  restore(backup: string, takesFindings: boolean): Promise<Restored>;
  /** Opens the file for reading. Safe while a server runs. */
  read<T>(work: (ledger: LedgerReader) => Promise<T>): Promise<T>;
  /** Opens the file for writing and updates its schema. The caller holds the lock; this is true of all below. */
  edit<T>(work: (ledger: LedgerEditor) => Promise<T>): Promise<T>;
  /** Opens the file for writing batches; with an outbox of at most `outboxBytesMax` bytes, or without one. */
  editBatches<T>(work: (ledger: BatchEditor) => Promise<T>, outboxBytesMax?: number): Promise<T>;
  /**
   * Runs `work` on a copy of the file. If `isWanted`, the copy then replaces the file, which is kept as `keptAs`; until
   * then the file does not change.
   */
  editCopy<T>(
    work: (ledger: BatchEditor) => Promise<T>,
    isWanted: (result: T) => boolean,
  ): Promise<{ readonly result: T; readonly keptAs?: string }>;
  /** `hashKey`: the ledger's own (`LedgerFacts`). */
  eraseMark(hashKey: Uint8Array, names: ErasedNames): EraseMark;
  /** The number of names whose erasure was started and has not finished. */
  unfinishedErases(): number;
  /** Rewrites the file so that no free page holds bytes of what was deleted. */
  compact(): void;
}
