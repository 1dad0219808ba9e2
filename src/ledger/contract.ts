import type { Dimension, EventResult, Increment, LedgerEvent, UsageAnswer, UsageQuery } from '../usage/index.ts';
import type { ClaimingStatus } from './claiming.ts';
import type { DeliveryStatus } from './delivery.ts';
import type { Count } from './pending.ts';

/** How the ledger is doing, for `/readyz`. */
export interface LedgerStatus {
  /** Counts in memory whose commit has not ended yet. */
  readonly unsavedEvents: number;
  /** Why the last commit failed; absent while commits work. */
  readonly failure?: string;
  /** How batches get to the store that has the totals; absent where that is the ledger's own file. */
  readonly delivery?: DeliveryStatus;
  /** How events get to count where several instances share them; absent where they do not. */
  readonly claiming?: ClaimingStatus;
}

/** The only writer of usage, and the only reader of totals. */
export interface Ledger {
  /** The zone in which days begin. */
  readonly timeZone: string;
  /** The dimensions that are kept; questions about others find nothing. */
  readonly dimensions: readonly Dimension[];
  /** The current day in that zone. */
  today(): number;
  /**
   * Counts what has just happened, all of it in one commit. From the moment it returns the counts are the ledger's:
   * it retries their commit until it succeeds or the process is killed. The promise is for whoever must not answer
   * before that: it resolves when they are committed, or after `commitWaitMs`, and never rejects. With `relaxed`
   * durability there is nothing to wait for.
   */
  record(counts: readonly Count[]): Promise<void> | undefined;
  /**
   * Commits events of others, each once however often it is sent: resolves with one result for each, in order, when they
   * are stored for good. Rejects with `ledger_unavailable` when that is not certain; whoever sends them again is told
   * then. `quantity` is at most 2^53 - 1.
   */
  ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]>;
  /**
   * Answers a question about what has been committed. Rejects with `ledger_gap` while the ledger knows that counts are missing
   * in its store, unless `takesIncomplete`: then the answer is marked as incomplete. Also rejects with `query_deadline` or the
   * store's error.
   */
  query(query: UsageQuery, takesIncomplete?: boolean): Promise<UsageAnswer>;
  /** Counts what happened on days gone by, which nothing that happens now adds to: for demonstrations and benchmarks. */
  backfill(increments: readonly Increment[]): Promise<void>;
  status(): LedgerStatus;
  /** Commits what is in memory. Rejects with `ledger_unsaved` when that has not succeeded within `waitMs`. */
  close(waitMs: number): Promise<void>;
}
