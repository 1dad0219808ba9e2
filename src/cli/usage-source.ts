import type { UsageAnswer, UsageParameters, UsageQuery } from '../usage/index.ts';

/** One page of an answer. */
export interface UsagePage {
  readonly answer: UsageAnswer;
  /** The page as `/api/v1/usage/{meter}` answers it. */
  readonly json: string;
  /** Cursor of the next page; absent on the last one. */
  readonly next?: string;
}

/** Where totals come from: a data directory, or a running server. */
export interface UsageSource {
  /** Name of the zone in which days begin; absent where it is not known. */
  readonly timeZone?: string;
  /** Asks for one page. `words` are the parameters that `query` was read from. */
  page(query: UsageQuery, words: UsageParameters): Promise<UsagePage>;
  close(): Promise<void>;
}
