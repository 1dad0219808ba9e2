import { formatDay, type DistinctDimension, type UsageAnswer, type UsageQuery, type UsageRow } from '../usage/index.ts';
import { printable } from './server-response.ts';

/** How bars are drawn: with eighths of block characters, or with `#` if the terminal has only ASCII. */
export type BarStyle = 'blocks' | 'ascii';

export const barWidth = 20;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** `1234567` as `1,234,567`. */
export function groupThousands(value: bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1,234 pulls`, or `1 pull`. */
export function counted(count: number, what: string): string {
  return `${groupThousands(BigInt(count))} ${what}${count === 1 ? '' : 's'}`;
}

/** A bar for `value`. `most` fills the whole width; a value above 0 is never empty. */
export function bar(value: bigint, most: bigint, style: BarStyle): string {
  if (value <= 0n || most <= 0n) return '';
  const parts = style === 'blocks' ? 8n : 1n;
  const filled = (value * BigInt(barWidth) * parts) / most || 1n;
  if (style === 'ascii') return '#'.repeat(Number(filled));
  return '█'.repeat(Number(filled / 8n)) + (eighths[Number(filled % 8n)] ?? '');
}

/** Formats an answer as a table: a title, aligned columns, a bar for each row, and the total. */
export function usageAsTable(
  query: UsageQuery,
  answer: UsageAnswer,
  timeZone: string | undefined,
  style: BarStyle,
): string {
  const zone = timeZone === undefined ? '' : ` (${timeZone})`;
  const title = `${query.meter} from ${formatDay(answer.from)} until ${formatDay(answer.to)}${zone}`;
  if (answer.rows.length === 0) return `${title}: none\n`;

  const columns = columnsOf(query);
  const rows = answer.rows.map((row) => columns.map(({ of }) => of(row)));
  const sumAt = columns.findIndex(({ right }) => right);
  const total = columns.map((_, at) => (at === sumAt ? groupThousands(answer.total) : at === 0 ? 'total' : ''));
  const names = columns.map(({ name }) => name);
  const widths = columns.map((_, at) => Math.max(...[names, ...rows, total].map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[], drawn = ''): string =>
    `${cells.map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.right)).join('  ')}  ${drawn}`.trimEnd();

  const most = answer.rows.reduce((high, { value }) => (value > high ? value : high), 0n);
  const lines = rows.map((cells, index) => line(cells, bar(answer.rows[index]?.value ?? 0n, most, style)));
  // If the sums are in the first column, there is no place for the total.
  const sum = sumAt === 0 ? [] : [line(total)];
  return `${[title, '', line(names), ...lines, ...sum, ...foldedNote(answer)].join('\n')}\n`;
}

/** Notes for a page that is not the whole answer: which rows are missing, and how to get them. */
export function missingNotes(cursor: string | undefined, next: string | undefined): readonly string[] {
  return [
    ...(cursor === undefined ? [] : ['rows before these are omitted because of --cursor']),
    ...(next === undefined ? [] : [`rows after these are omitted: continue with --cursor ${next}`]),
  ];
}

interface Column {
  readonly name: string;
  /** Right-aligned, for numbers. */
  readonly right?: true;
  readonly of: (row: UsageRow) => string;
}

function columnsOf({ meter, window, by, distinct }: UsageQuery): readonly Column[] {
  const ofOthers = (row: UsageRow, at: number): string => (row.other && at === 0 ? '(others)' : '-');
  return [
    ...(window === 'total'
      ? []
      : [{ name: 'from', of: ({ from }: UsageRow) => (from === undefined ? '' : formatDay(from)) }]),
    ...by.map((name, at) => ({ name, of: (row: UsageRow) => printable(row.dimensions[name] ?? ofOthers(row, at)) })),
    { name: meter, right: true, of: (row) => groupThousands(row.value) },
    ...(distinct === undefined ? [] : [distinctColumn(distinct)]),
  ];
}

function distinctColumn(of: DistinctDimension): Column {
  return { name: `${of}s`, right: true, of: ({ distinct = 0 }) => groupThousands(BigInt(distinct)) };
}

/** A note about dimensions whose values are not all distinguished. */
function foldedNote({ folded = [] }: UsageAnswer): readonly string[] {
  return folded.length === 0
    ? []
    : ['', `not distinguished on all days, or beyond the limit of values: ${folded.join(', ')}`];
}

function pad(text: string, width: number, right = false): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
