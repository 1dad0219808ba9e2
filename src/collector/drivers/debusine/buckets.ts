/** Upper bounds, inclusive, of the gauge histograms that Debusine does not have. All of them have the bucket +Inf too. */
export const bounds = {
  /** Files of an artifact. 0 counts the artifacts without a file. */
  fileCount: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000],
  /** Bytes: powers of 4, from 1 KiB to 16 GiB. */
  fileBytes: Array.from({ length: 13 }, (_, index) => 4 ** (index + 5)),
  /** Items of a collection. 0 counts the empty collections. */
  itemCount: [0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
  /** Seconds: a minute, an hour, and the days of `user_activity` (1, 3, 7, 14, 30, 90 and 365). */
  ageSeconds: [60, 3_600, 86_400, 259_200, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000],
  /** Seconds: 1, 5, 15, 60, 5 minutes, 15 minutes, half an hour, 1, 2, 4 and 8 hours, 1, 3 and 7 days. */
  runSeconds: [1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 259_200, 604_800],
} as const satisfies Record<string, readonly number[]>;

/**
 * SQL for columns of cumulative counts, `c0` to `cN`: for each bound the rows whose `value` is at most the bound, then all
 * rows. A row whose value is NULL is only in the last count.
 */
export function cumulativeCounts(value: string, upperBounds: readonly number[]): string {
  return columns([...upperBounds.map((bound) => `count(*) FILTER (WHERE ${value} <= ${bound})`), 'count(*)']);
}

/** SQL for the same columns, of rows that have `count` values each in the bucket at the position `bucket`. */
export function cumulativeSums(count: string, bucket: string, upperBounds: readonly number[]): string {
  const within = upperBounds.map((_, position) => `coalesce(sum(${count}) FILTER (WHERE ${bucket} <= ${position}), 0)`);
  return columns([...within, `sum(${count})`]);
}

/** SQL for the sums of these columns. */
export function countSums(upperBounds: readonly number[]): string {
  return [...upperBounds, Infinity].map((_, position) => `sum(c${position})::bigint`).join(', ');
}

/** SQL for the position, from 0, of the bucket that an integer falls into. */
export function bucketOf(value: string, upperBounds: readonly number[]): string {
  return `width_bucket(${value} - 1, '{${upperBounds.join(',')}}'::bigint[])`;
}

function columns(expressions: readonly string[]): string {
  return expressions.map((expression, position) => `${expression} AS c${position}`).join(', ');
}
