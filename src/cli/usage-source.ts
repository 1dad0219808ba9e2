import type { UsageAnswer, UsageParameters, UsageQuery } from '../usage/index.ts';

/** One page of an answer. */
export interface UsagePage {
  readonly answer: UsageAnswer;
  /** The page as JSON of `/api/v1/usage/{meter}`. */
  readonly json: string;
  /** Cursor of the next page; absent on the last one. */
  readonly next?: string;
}

/** A source of totals: a data directory, a Redis or a running server. */
export interface UsageSource {
  /** The time zone of days; absent if unknown. */
  readonly timeZone?: string;
  /** Reads one page. `words` are the parameters of `query`. */
  page(query: UsageQuery, words: UsageParameters): Promise<UsagePage>;
  close(): Promise<void>;
}
