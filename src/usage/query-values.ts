import { TonnageError } from '../base/index.ts';
import { formatCursorOf, positionIn } from './cursor.ts';
import { dimensions, isDimension, type Dimension } from './dimensions.ts';
import type { MeterSet } from './meters.ts';
import { parseLimit, parseRange } from './parse-query.ts';
import type { UsageAnswer, UsageQuery } from './query.ts';
import { quote, refused } from './refused.ts';

/** A question about the values of a dimension, as a URL's words; absent ones are `undefined`. */
export type ValuesParameters = {
  readonly [P in 'from' | 'to' | 'meter' | 'prefix' | 'limit' | 'cursor']?: string | undefined;
};

/** Which values a dimension has. */
export interface ValuesQuestion {
  readonly dimension: Dimension;
  /** One question for each meter, about the same values. */
  readonly queries: readonly UsageQuery[];
  /** Values of this page, at most. */
  readonly limit: number;
  /** What the question has in common with those about its other pages. */
  readonly asked: readonly unknown[];
}

/** Values in the order of their bytes in UTF-8, each once. */
export interface ValuesAnswer {
  readonly dimension: Dimension;
  readonly values: readonly string[];
  /** Dimensions whose values are no longer, or were not, told apart on some of the days. */
  readonly folded?: readonly Dimension[];
  /** The ledger knows that counts are missing, so values may be missing too. */
  readonly incomplete?: true;
  /** Cursor of the next page, which begins behind the last value of this one; absent on the last page. */
  readonly next?: string;
}

/**
 * Reads the words of a question about the values of the dimension `name`, for all events or those of the organisation
 * `org`. Throws `not_found` for a dimension that is not among `kept` and `bad_request` for a word that cannot be
 * understood.
 */
export function parseValuesQuery(
  name: string,
  parameters: ValuesParameters,
  context: { readonly kept: readonly Dimension[]; readonly meters: MeterSet; readonly org?: string },
): ValuesQuestion {
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
  const asked = [name, range.from, range.to, meter, prefix, org];
  const { cursor } = parameters;
  const after = cursor === undefined ? undefined : positionIn(asked, cursor, () => true);
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
  return { dimension: name, queries: counting.map((each) => ({ ...common, meter: each })), limit, asked };
}

/** Puts together what was answered to each of the question's queries. */
export function valuesAnswer(
  { dimension, limit, asked }: ValuesQuestion,
  answers: readonly UsageAnswer[],
): ValuesAnswer {
  // Each answer begins with its first values, so the first of all are among them; and Buffer compares bytes.
  const found = new Set(answers.flatMap(({ rows }) => rows.flatMap((row) => row.dimensions[dimension] ?? [])));
  const sorted = [...found].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const values = sorted.slice(0, limit);
  const isLast = sorted.length <= limit && answers.every(({ nextOffset }) => nextOffset === undefined);
  const last = values.at(-1);
  const folded = dimensions.filter((name) => answers.some((answer) => answer.folded?.includes(name)));
  return {
    dimension,
    values,
    ...(folded.length > 0 && { folded }),
    ...(answers.some(({ incomplete }) => incomplete) && { incomplete: true as const }),
    ...(!isLast && last !== undefined && { next: formatCursorOf(asked, last) }),
  };
}

/** The answer as `/api/v1/dimensions/{name}` gives it: `{"dimension","values","incomplete"?,"folded"?,"next"?}`. */
export function valuesAsJson({ dimension, values, incomplete, folded, next }: ValuesAnswer): string {
  const flag = incomplete && { incomplete };
  return JSON.stringify({ dimension, values, ...flag, ...(folded && { folded }), ...(next !== undefined && { next }) });
}
