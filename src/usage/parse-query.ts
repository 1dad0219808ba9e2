import { limits, TonnageError } from '../base/index.ts';
import { formatCursorOf, positionIn, positionOf } from './cursor.ts';
import { formatDay, parseDay, type Day } from './day.ts';
import { dimensions, isDimension, type Dimension } from './dimensions.ts';
import type { MeterSet } from './meters.ts';
import { distinctDimensions, windows, type DistinctDimension, type UsageQuery, type Window } from './query.ts';
import { quote, refused } from './refused.ts';

/** The parameters of a query, from a URL or a command line. An empty dimension selects events without it. */
export type UsageParameters = {
  readonly [P in Dimension | 'from' | 'to' | 'window' | 'by' | 'top' | 'distinct' | 'limit' | 'cursor']?:
    string | undefined;
};

/**
 * Parses the parameters of a query about `meter`. Throws `not_found` for a meter that is not in `meters`, and `bad_request` for an
 * invalid parameter. Without `meters` (a command line that queries a server), the server checks the meter and the cursor.
 */
export function parseUsageQuery(meter: string, parameters: UsageParameters, meters?: MeterSet): UsageQuery {
  if (meters !== undefined && !meters.byName.has(meter)) throw unknownMeter(meter, meters);
  const range = parseRange(parameters);
  const distinct = distinctOf(parameters.distinct);
  const query = {
    meter,
    ...range,
    ...grouping(parameters),
    where: filters(parameters),
    ...(parameters.top !== undefined && { top: countOf('top', parameters.top) }),
    ...(distinct !== undefined && { distinct }),
    limit: parseLimit(parameters.limit),
    offset: 0,
  };
  const { cursor } = parameters;
  if (cursor === undefined) return query;
  const position =
    meters === undefined ? positionOf(cursor, isOffset) : positionIn(identityOf(query), cursor, isOffset);
  return { ...query, offset: Number(position) };
}

/** The cursor of the page of `query` that begins at row `offset`. Opaque to clients. */
export function formatCursor(query: UsageQuery, offset: number): string {
  return formatCursorOf(identityOf(query), String(offset));
}

/** The members of a query that are the same for all its pages. An open range stays open when the day changes. */
function identityOf({ meter, from, to, window, by, where, top, distinct }: UsageQuery): readonly unknown[] {
  const filters = dimensions.map((name) => (where[name] === undefined ? false : where[name]));
  return [meter, from, to, window, by, filters, top, distinct];
}

function isOffset(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}

/** Parses the half-open range of `from` and `to`, both optional. Throws `bad_request`. */
export function parseRange(parameters: Pick<UsageParameters, 'from' | 'to'>): Pick<UsageQuery, 'from' | 'to'> {
  const from = dayOf('from', parameters.from);
  const to = dayOf('to', parameters.to);
  if (from !== undefined && to !== undefined && from > to) {
    throw refused('from', `a day no later than to (${parameters.to})`, parameters.from);
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** Throws `bad_request` for a range without `to` that begins after tomorrow, which is its exclusive end. */
export function checkRange({ from, to }: Pick<UsageQuery, 'from' | 'to'>, today: Day): void {
  if (from === undefined || to !== undefined || from <= today + 1) return;
  throw refused('from', `a day no later than tomorrow (${formatDay(today + 1)}) without to`, formatDay(from));
}

const usageFormats = ['json', 'csv', 'csv-raw'] as const;
type UsageFormat = (typeof usageFormats)[number];

/** Parses the parameter `format`; `undefined` if absent. Throws `bad_request`. */
export function parseFormat(text: string | undefined): UsageFormat | undefined {
  const format = usageFormats.find((each) => each === text);
  if (text === undefined || format !== undefined) return format;
  throw refused('format', 'json, csv or csv-raw', text);
}

/** Parses the parameter `limit`, the rows of a page. Throws `bad_request`. */
export function parseLimit(text: string | undefined): number {
  return text === undefined ? limits.queryRowsDefault : countOf('limit', text);
}

function unknownMeter(meter: string, meters: MeterSet): TonnageError {
  const known = [...meters.byName.keys()].join(', ');
  return new TonnageError('not_found', `meter: expected one of ${known}, got ${quote(meter)}`);
}

function dayOf(name: string, text: string | undefined): Day | undefined {
  if (text === undefined) return undefined;
  const day = parseDay(text);
  if (day === undefined) throw refused(name, 'a day as YYYY-MM-DD', text);
  return day;
}

/** `by` may also name a window: `by=org,day` means `by=org` with `window=day`. */
function grouping({ by, window }: UsageParameters): Pick<UsageQuery, 'by' | 'window'> {
  const names = by === undefined || by === '' ? [] : by.split(',');
  const named = new Set<Dimension>();
  let found = windowOf(window);
  for (const name of names) {
    if (name === 'day' || name === 'month') found = agreed(found, name);
    else if (isDimension(name)) named.add(name);
    else throw refused('by', `names from ${[...dimensions, 'day', 'month'].join(', ')}, separated by commas`, name);
  }
  return { by: [...named], window: found ?? 'total' };
}

function windowOf(text: string | undefined): Window | undefined {
  if (text === undefined) return undefined;
  const window = windows.find((each) => each === text);
  if (!window) throw refused('window', `one of ${windows.join(', ')}`, text);
  return window;
}

function agreed(window: Window | undefined, named: 'day' | 'month'): Window {
  if (window === undefined || window === named) return named;
  throw refused('by', `the window of window=${window}`, named);
}

function filters(parameters: UsageParameters): UsageQuery['where'] {
  const where: { -readonly [D in Dimension]?: string | null } = {};
  for (const name of dimensions) {
    const value = parameters[name];
    if (value !== undefined) where[name] = value === '' ? null : value;
  }
  return where;
}

function distinctOf(text: string | undefined): DistinctDimension | undefined {
  if (text === undefined) return undefined;
  const distinct = distinctDimensions.find((each) => each === text);
  if (!distinct) throw refused('distinct', `one of ${distinctDimensions.join(', ')}`, text);
  return distinct;
}

function countOf(name: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= limits.queryRowsMax) return count;
  throw refused(name, `a whole number from 1 to ${limits.queryRowsMax}`, text);
}
