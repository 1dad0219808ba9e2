import type { Day } from './day.ts';
import type { Dimension } from './dimensions.ts';

/** How rows are cut along time. `total`: not at all. */
export type Window = 'total' | 'day' | 'month';
export const windows: readonly Window[] = ['total', 'day', 'month'];

/** Dimensions whose different values can be counted. */
export const distinctDimensions = ['user', 'client'] as const satisfies readonly Dimension[];
export type DistinctDimension = (typeof distinctDimensions)[number];

/** Some of the values of a dimension, in the order of their bytes in UTF-8. */
export interface NameRange {
  /** What they begin with. */
  readonly prefix: string;
  /** They come behind this one. */
  readonly after?: string;
}

/** A question about one meter. Days are half-open: `from` is in, `to` is not. */
export interface UsageQuery {
  readonly meter: string;
  /** Default: the first day with data, else the current one. */
  readonly from?: Day;
  /** Default: the day after the current one. */
  readonly to?: Day;
  /**
   * All days that there are, also those still to come; `from` and `to` are absent then, and the window is `total`. What
   * lacks an organisation may be left out of the answer unless the question tells architectures apart, and then what
   * lacks both: Wave keeps no grand total over all days.
   */
  readonly allTime?: true;
  readonly window: Window;
  /** Dimensions that rows are told apart by; the others are summed over. */
  readonly by: readonly Dimension[];
  /** Only what has this value; `null` asks for events that lack the dimension. */
  readonly where: { readonly [D in Dimension]?: string | null };
  /** Rows of each window, at most: the largest ones. What the others sum to is one more row. Default: all. */
  readonly top?: number;
  /** The dimension whose different values are counted in each row. */
  readonly distinct?: DistinctDimension;
  /** Asks for values in place of sums: `by` has one dimension, and rows are those of its values that lie here, by name. */
  readonly names?: NameRange;
  /** Rows of this page, at most. */
  readonly limit: number;
  /** Rows to pass over: where the page before ended. */
  readonly offset: number;
}

/** One row: the dimensions of `by` (`null` where events lack one), the window's first day, and the sum. */
export interface UsageRow {
  /** First day of the row's day or calendar month, also where the query begins within it; absent in a `total`. */
  readonly from?: Day;
  readonly dimensions: { readonly [D in Dimension]?: string | null };
  readonly value: bigint;
  /** How many values of the question's `distinct` there are among its events; what lacks one has none. */
  readonly distinct?: number;
  /** The row sums what is beyond the question's `top`; its dimensions are `null`. */
  readonly other?: true;
}

/** What a query found. Rows come by `from`, then by value downwards, then by dimensions, and `other` ones last; none has the value 0. */
export interface UsageAnswer {
  readonly from: Day;
  readonly to: Day;
  readonly rows: readonly UsageRow[];
  /** Sum over all matching rows, also those of other pages. */
  readonly total: bigint;
  /** Where the next page begins; absent on the last page. */
  readonly nextOffset?: number;
  /** Dimensions of the question that are no longer, or were not, told apart on some of its days. */
  readonly folded?: readonly Dimension[];
  /** The ledger knows that counts are missing, and the caller takes the answer anyway. */
  readonly incomplete?: true;
  /** When the names were last looked up (milliseconds since the Unix epoch), where another program writes them too. */
  readonly indexedAt?: number;
}
