import type { Day } from './day.ts';
import type { Dimension } from './dimensions.ts';

/** The periods that rows are grouped by. `total`: none. */
export type Window = 'total' | 'day' | 'month';
export const windows: readonly Window[] = ['total', 'day', 'month'];

/** Dimensions whose distinct values can be counted. */
export const distinctDimensions = ['user', 'client'] as const satisfies readonly Dimension[];
export type DistinctDimension = (typeof distinctDimensions)[number];

/** A range of the values of a dimension, in the order of their UTF-8 bytes. */
interface NameRange {
  readonly prefix: string;
  /** Exclusive start. */
  readonly after?: string;
}

/** A query about one meter. `from` is inclusive, `to` is exclusive. */
export interface UsageQuery {
  readonly meter: string;
  /** Default: the first day with data, or today if there is none. */
  readonly from?: Day;
  /** Default: tomorrow. */
  readonly to?: Day;
  /**
   * All days, including future ones. Requires the window `total`, without `from` and `to`. Wave keeps no grand total over all days,
   * so the answer may omit events without organisation, or, when grouped or filtered by architecture, events without both.
   */
  readonly allTime?: true;
  readonly window: Window;
  /** Dimensions to group by. */
  readonly by: readonly Dimension[];
  /** Filters by value. `null` selects events without the dimension. */
  readonly where: { readonly [D in Dimension]?: string | null };
  /** Return only this many of the largest rows of each window, and one more row for the sum of the rest. Default: all rows. */
  readonly top?: number;
  /** The dimension whose distinct values are counted in each row. */
  readonly distinct?: DistinctDimension;
  /** Return values instead of sums: `by` has one dimension, and the rows are its values in this range, in order. */
  readonly names?: NameRange;
  /** The most rows on this page. */
  readonly limit: number;
  /** Rows to skip: those of the previous pages. */
  readonly offset: number;
}

/** One row: the window's first day, the dimensions of `by` (`null`: missing), and the sum. */
export interface UsageRow {
  /** The row's day, or the first day of its month even if the query begins later; absent with the window `total`. */
  readonly from?: Day;
  readonly dimensions: { readonly [D in Dimension]?: string | null };
  readonly value: bigint;
  /** The number of distinct values of the query's `distinct`. Events without the dimension do not count. */
  readonly distinct?: number;
  /** The row sums the rows beyond `top`. Its dimensions are `null`. */
  readonly other?: true;
}

/** The answer to a query. Rows are ordered by `from`, then by descending value, then by dimensions; `other` is last. No row has the value 0. */
export interface UsageAnswer {
  readonly from: Day;
  readonly to: Day;
  readonly rows: readonly UsageRow[];
  /** The sum over all matching rows, including those of other pages. */
  readonly total: bigint;
  /** The offset of the next page; absent on the last page. */
  readonly nextOffset?: number;
  /** Dimensions of the query whose values are not all distinguished on some of its days. */
  readonly folded?: readonly Dimension[];
  /** Counts are known to be missing, and the caller accepts an incomplete answer. */
  readonly incomplete?: true;
  /** If another program also writes the names: when they were last indexed, in milliseconds since the Unix epoch. */
  readonly indexedAt?: number;
}
