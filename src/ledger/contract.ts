import type { Dimension, EventResult, Increment, LedgerEvent, UsageAnswer, UsageQuery } from '../usage/index.ts';
import type { ClaimingStatus } from './claiming.ts';
import type { DeliveryStatus } from './delivery.ts';
import type { Count } from './pending-batch.ts';

/** The state of the ledger, for `/readyz`. */
export interface LedgerStatus {
  /** Counts in memory that are not committed yet. */
  readonly unsavedEvents: number;
  /** Why the last commit failed; absent while commits work. */
  readonly failure?: string;
  /** Delivery of batches to the store that has the totals; absent if that is the ledger's own file. */
  readonly delivery?: DeliveryStatus;
  /** Claims of events that several instances share; absent if this instance shares none. */
  readonly claiming?: ClaimingStatus;
}

/** The only writer of usage, and the only reader of totals. */
export interface Ledger {
  /** The zone in which days begin. */
  readonly timeZone: string;
  /** The dimensions that the ledger keeps. Queries by other dimensions find nothing. */
  readonly dimensions: readonly Dimension[];
  /** The current day in that zone. */
  today(): number;
  /**
   * Counts what has just happened, in one commit. The ledger retries the commit until it succeeds or the process is
   * killed. A caller that must not answer earlier awaits the promise: it resolves when the counts are committed, or
   * after `commitWaitMs`, and never rejects. With `relaxed` durability there is no promise.
   */
  record(counts: readonly Count[]): Promise<void> | undefined;
  /**
   * Commits events from outside, each once, however often it is sent. Resolves with one result per event, in order,
   * once they are durable. Rejects with `ledger_unavailable` if that is uncertain; a retry then gets the results.
   * `quantity` is at most 2^53 - 1.
   */
  ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]>;
  /**
   * Answers a query about committed events. Rejects with `ledger_gap` while the ledger knows that its store lacks counts, unless
   * `takesIncomplete` is set: then the answer is marked as incomplete. Also rejects with `query_deadline` or the store's error.
   */
  query(query: UsageQuery, takesIncomplete?: boolean): Promise<UsageAnswer>;
  /** Counts increments of past days without keys, for demonstrations and benchmarks. */
  backfill(increments: readonly Increment[]): Promise<void>;
  status(): LedgerStatus;
  /** Commits the counts in memory. Rejects with `ledger_unsaved` if that does not succeed within `waitMs`. */
  close(waitMs: number): Promise<void>;
}
