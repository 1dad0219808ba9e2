import type { Clock, Log } from '../base/index.ts';
import type { Outbox, ReadTotals, RemoteTotals, SharedClaims, StoredKeyHash } from './contract.ts';
import type { LedgerFacts, LedgerReader } from './ledger-file.ts';
import type { RemoteCare } from './remote-care.ts';

/** The parts that a driver of a remote store gets in addition to its own settings. */
export interface RemoteParts {
  /** IANA zone of days where there is no ledger file yet. */
  readonly timeZone: string;
  /** Days for which details are kept. */
  readonly detailDays: number;
  /** Days during which an event that is sent again is recognised. */
  readonly dedupeDays: number;
  /** Whether several ledgers count into the same store, and an event that two of them receive counts once. */
  readonly shared: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** The batches that a ledger keeps for a remote store. */
interface OutboxLimits {
  /** Beyond this the ledger rejects events. */
  readonly bytesMax: number;
  /** How long, and up to how many bytes, delivered batches are kept: a failover of the store may lose them. */
  readonly keepMs: number;
  readonly keepBytes: number;
}

/** The open ledger file whose batches a remote store receives. */
export interface DeliveringLedger {
  readonly ledgerId: string;
  readonly timeZone: string;
  readonly outbox: Outbox;
  readonly storedKeyHash: StoredKeyHash;
}

export interface OpenedRemote {
  /** Its `close` closes `claims` too. */
  readonly totals: RemoteTotals;
  /** Present if `RemoteStore.shared`. */
  readonly claims?: SharedClaims;
}

/** What `tonnage wave import` found. */
export interface WaveImportSummary {
  readonly scanned: number;
  /** This run continued an earlier one that was interrupted. */
  readonly resumed: boolean;
  /** Fields that are not Wave's, or that are ambiguous, and the first few of them. */
  readonly skipped: number;
  readonly skippedNames: readonly string[];
  /** One for each meter of Wave that has counts. */
  readonly meters: readonly WaveMeterSummary[];
}

export interface WaveMeterSummary {
  readonly meter: string;
  readonly organisations: number;
  readonly architectures: number;
  /** Days on which Wave has counted; the first and the last of them as `YYYY-MM-DD`. */
  readonly days: number;
  readonly first?: string;
  readonly last?: string;
}

export interface WaveImportProgress {
  /** Fields that have been looked at, in earlier runs too. Some may be looked at twice. */
  readonly scanned: number;
  /** Fields that the hash has now; it may grow meanwhile. */
  readonly total: number;
}

/**
 * A store of totals other than the ledger file, as its driver implements it. It connects only when one of its functions
 * is called. Functions reject with `config_invalid` for settings that no server could satisfy.
 */
export interface RemoteStore {
  /** The store's name in messages. */
  readonly name: string;
  /** Texts for the addresses that lead there. Two remote stores with a text in common are the same one. */
  readonly places: readonly string[];
  readonly outbox: OutboxLimits;
  /** As `RemoteParts.shared`. */
  readonly shared: boolean;
  /** Starts to connect. Does not reject while the store is unreachable: batches wait in the outbox. */
  open(ledger: DeliveringLedger): Promise<OpenedRemote>;
  /** Opens the totals for reading only; `ledger`: the ledger file, if there is one. Rejects while the store is unreachable. */
  openTotals(ledger: LedgerReader | undefined): Promise<ReadTotals>;
  /** Opens the store for the maintenance of one ledger. Rejects while the store is unreachable. */
  openCare(ledger: LedgerFacts): Promise<RemoteCare>;
  /** Imports the names under which Wave has counted there. Absent: Wave does not use such a store. */
  importWave?(onProgress: (progress: WaveImportProgress) => void): Promise<WaveImportSummary>;
}
