import type { Day, Dimension, Increment, Series, UsageAnswer, UsageQuery } from '../usage/index.ts';

/** What one transaction writes. */
export interface Batch {
  /** 1, 2, 3... without a gap. The number is stored in the same transaction, which is what makes a retry harmless. */
  readonly number: number;
  readonly increments: readonly Increment[];
}

/** Where the ledger writes: numbered batches, each whole or not at all, each once. */
export interface Journal {
  /** Identity of this ledger, made when its data directory was. */
  readonly ledgerId: string;
  /** Number of the last batch that is stored; 0 in a new ledger. */
  readonly lastBatch: number;
  /**
   * Resolves once the batch is stored for good; at once when it was stored before (the outcome of a try may be unknown
   * to the caller, who then asks again with the same batch). Rejects with `ledger_gap` when a batch before it is
   * missing, else with the store's error, and has then written nothing or the whole batch.
   */
  commit(batch: Batch): Promise<void>;
}

/** The sum of all that one account (meter, organisation, architecture) was ever given. */
export interface AccountTotal {
  readonly account: Series;
  readonly value: bigint;
}

/** Where totals are read. */
export interface Totals {
  /** Answers one question. `today` is the current day in the ledger's zone, the end of an open range. */
  query(query: UsageQuery, today: Day): Promise<UsageAnswer>;
  /** Every account with its sum. For the counters on `/metrics`, which are filled from it once, at start. */
  accounts(): Promise<readonly AccountTotal[]>;
  /** Values that a dimension has on one day, at most `max` of them: those whose series are the oldest. */
  valuesOn(day: Day, dimension: Dimension, max: number): Promise<readonly string[]>;
}

/** Both halves over one place, and its end. */
export interface Store {
  /** IANA name of the zone in which this ledger counts its days. */
  readonly timeZone: string;
  /** Random bytes that this ledger alone has, made with it: the key of its pseudonyms. */
  readonly hashKey: Uint8Array;
  readonly journal: Journal;
  readonly totals: Totals;
  close(): Promise<void>;
}
