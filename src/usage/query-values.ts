import { TonnageError } from '../base/index.ts';
import { formatCursorOf, positionIn } from './cursor.ts';
import { dimensions, isDimension, type Dimension } from './dimensions.ts';
import type { MeterSet } from './meters.ts';
import { parseLimit, parseRange } from './parse-query.ts';
import type { UsageAnswer, UsageQuery } from './query.ts';
import { quote, refused } from './refused.ts';
import { compareTexts } from './rows.ts';

/** The parameters of a query for the values of a dimension. */
type ValuesParameters = {
  readonly [P in 'from' | 'to' | 'meter' | 'prefix' | 'limit' | 'cursor']?: string | undefined;
};

/** A query for the values of a dimension. */
interface ValuesQuery {
  readonly dimension: Dimension;
  /** One query for each meter. */
  readonly queries: readonly UsageQuery[];
  /** The most values on this page. */
  readonly limit: number;
  /** The parameters that are the same for all pages. */
  readonly identity: readonly unknown[];
}

/** Distinct values, in the order of their UTF-8 bytes. */
interface ValuesAnswer {
  readonly dimension: Dimension;
  readonly values: readonly string[];
  /** Dimensions whose values are not all distinguished on some of the days. */
  readonly folded?: readonly Dimension[];
  /** Counts are known to be missing, so values may be missing too. */
  readonly incomplete?: true;
  /** Cursor of the next page, which begins after the last value of this one; absent on the last page. */
  readonly next?: string;
}

/**
 * Parses a query for the values of the dimension `name`, for all events or those of the organisation `org`. Throws
 * `not_found` for a dimension that is not in `kept`, and `bad_request` for an invalid parameter.
 */
export function parseValuesQuery(
  name: string,
  parameters: ValuesParameters,
  context: { readonly kept: readonly Dimension[]; readonly meters: MeterSet; readonly org?: string },
): ValuesQuery {
  const { kept, meters, org } = context;
  if (!isDimension(name) || !kept.includes(name)) {
    const expected = `a dimension that is kept (${kept.join(', ')})`;
    throw new TonnageError('not_found', `dimension: expected ${expected}, got ${quote(name)}`);
  }
  const { meter, prefix = '' } = parameters;
  const names = [...meters.byName.keys()];
  if (meter !== undefined && !meters.byName.has(meter)) throw refused('meter', `one of ${names.join(', ')}`, meter);
  const limit = parseLimit(parameters.limit);
  const range = parseRange(parameters);
  const identity = [name, range.from, range.to, meter, prefix, org];
  const { cursor } = parameters;
  const after = cursor === undefined ? undefined : positionIn(identity, cursor, () => true);
  const common = {
    ...range,
    window: 'total',
    by: [name],
    where: { ...(org !== undefined && { org }) },
    names: { prefix, ...(after !== undefined && { after }) },
    limit,
    offset: 0,
  } as const;
  const counting = meter === undefined ? names : [meter];
  return { dimension: name, queries: counting.map((each) => ({ ...common, meter: each })), limit, identity };
}

/** Merges the answers to `queries`, in any order. */
export function valuesAnswer(
  { dimension, limit, identity }: ValuesQuery,
  answers: readonly UsageAnswer[],
): ValuesAnswer {
  // Each answer holds its first values, so the first of all are among them.
  const found = new Set(answers.flatMap(({ rows }) => rows.flatMap((row) => row.dimensions[dimension] ?? [])));
  const sorted = [...found].toSorted(compareTexts);
  const values = sorted.slice(0, limit);
  const isLast = sorted.length <= limit && answers.every(({ nextOffset }) => nextOffset === undefined);
  const last = values.at(-1);
  const folded = dimensions.filter((name) => answers.some((answer) => answer.folded?.includes(name)));
  return {
    dimension,
    values,
    ...(folded.length > 0 && { folded }),
    ...(answers.some(({ incomplete }) => incomplete) && { incomplete: true as const }),
    ...(!isLast && last !== undefined && { next: formatCursorOf(identity, last) }),
  };
}

/** The JSON response of `/api/v1/dimensions/{name}`: `{"dimension","values","incomplete"?,"folded"?,"next"?}`. */
export function valuesAsJson({ dimension, values, incomplete, folded, next }: ValuesAnswer): string {
  const flag = incomplete && { incomplete };
  return JSON.stringify({ dimension, values, ...flag, ...(folded && { folded }), ...(next !== undefined && { next }) });
}
