import { formatDay } from './day.ts';
import type { Dimension } from './dimensions.ts';
import { formatCursor } from './parse-query.ts';
import type { UsageAnswer, UsageQuery, UsageRow } from './query.ts';

declare global {
  interface JSON {
    /** Raw text as a JSON value (ECMAScript's JSON.parse source text access). The compiler's library does not declare it yet. */
    rawJSON(text: string): unknown;
  }
}

/** `JSON.stringify` that writes a `bigint` as an integer and a `Map` as an object. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return JSON.rawJSON(member.toString());
    return member instanceof Map ? Object.fromEntries<unknown>(member) : member;
  });
}

/**
 * The JSON response of `/api/v1/usage/{meter}`. `query` must be the client's query, because `next` refers to it:
 * `{"meter","from","to","window","rows","total","incomplete"?,"folded"?,"indexedAt"?,"next"?}`.
 */
export function usageAsJson(query: UsageQuery, answer: UsageAnswer): string {
  return stringifyJson({
    meter: query.meter,
    from: formatDay(answer.from),
    to: formatDay(answer.to),
    window: query.window,
    rows: answer.rows.map((row) => rowAsJson(query.by, row)),
    total: answer.total,
    ...(answer.incomplete && { incomplete: true }),
    ...(answer.folded && { folded: answer.folded }),
    ...(answer.indexedAt !== undefined && { indexedAt: new Date(answer.indexedAt).toISOString() }),
    ...(answer.nextOffset !== undefined && { next: formatCursor(query, answer.nextOffset) }),
  });
}

function rowAsJson(by: readonly Dimension[], row: UsageRow): Record<string, unknown> {
  const members: Record<string, unknown> = row.from === undefined ? {} : { from: formatDay(row.from) };
  for (const name of by) members[name] = row.dimensions[name] ?? null;
  members['value'] = row.value;
  if (row.distinct !== undefined) members['distinct'] = row.distinct;
  if (row.other) members['other'] = true;
  return members;
}

/** The column names of `usageAsCells`, in order. */
function usageColumns(query: UsageQuery): readonly string[] {
  return [
    ...(query.window === 'total' ? [] : ['from']),
    ...query.by,
    'value',
    ...(query.distinct === undefined ? [] : ['distinct']),
    ...(query.top === undefined ? [] : ['other']),
  ];
}

/**
 * The rows as text, one array each, in the order of `usageColumns`. Missing dimensions are empty. With `top`, the last
 * column is `true` for the row that sums the remaining rows, and otherwise empty.
 */
function usageAsCells(query: UsageQuery, answer: UsageAnswer): readonly (readonly string[])[] {
  return answer.rows.map((row) => [
    ...(row.from === undefined ? [] : [formatDay(row.from)]),
    ...query.by.map((name) => row.dimensions[name] ?? ''),
    row.value.toString(),
    ...(query.distinct === undefined ? [] : [String(row.distinct ?? 0)]),
    ...(query.top === undefined ? [] : [row.other ? 'true' : '']),
  ]);
}

/**
 * The rows as CSV (RFC 4180) with a header line. Missing dimensions are empty fields. Unless `raw`, prepends `'` to
 * fields that a spreadsheet would take for a formula because of their first character.
 */
export function usageAsCsv(query: UsageQuery, answer: UsageAnswer, { raw = false } = {}): string {
  const cellOf = raw ? (text: string) => text : asText;
  const lines = [usageColumns(query), ...usageAsCells(query, answer)];
  return lines.map((cells) => `${cells.map((text) => csvField(cellOf(text))).join(',')}\r\n`).join('');
}

function asText(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
