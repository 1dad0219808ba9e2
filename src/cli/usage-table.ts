import { formatDay, type DistinctDimension, type UsageAnswer, type UsageQuery, type UsageRow } from '../usage/index.ts';

/** How bars are drawn: with blocks of eighths of a character, or where those cannot be shown with `#`. */
export type BarStyle = 'blocks' | 'ascii';

const barWidth = 20;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** `1234567` as `1,234,567`. */
export function groupThousands(value: bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** A bar for `value` where `most` fills the whole width; never empty for what is not 0. */
export function bar(value: bigint, most: bigint, style: BarStyle): string {
  if (value <= 0n || most <= 0n) return '';
  const parts = style === 'blocks' ? 8n : 1n;
  const filled = (value * BigInt(barWidth) * parts) / most || 1n;
  if (style === 'ascii') return '#'.repeat(Number(filled));
  return '█'.repeat(Number(filled / 8n)) + (eighths[Number(filled % 8n)] ?? '');
}

/** A value as it may stand on a terminal: control characters could move its cursor or worse. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

/** The answer as a table for people: a title, aligned columns with a bar for each row, and a line with the total. */
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
  // Where the sums come first there is no room for the word; the number stands for itself.
  const sum = sumAt === 0 ? [] : [line(total)];
  return `${[title, '', line(names), ...lines, ...sum, ...foldedNote(answer)].join('\n')}\n`;
}

/** What to tell somebody who sees a page and could take it for the whole: that rows are missing, and how to see them. */
export function missingNotes(cursor: string | undefined, next: string | undefined): readonly string[] {
  return [
    ...(cursor === undefined ? [] : ['rows are missing before these: --cursor passes them over']),
    ...(next === undefined ? [] : [`rows are missing after these: go on with --cursor ${next}`]),
  ];
}

interface Column {
  readonly name: string;
  /** Numbers stand at the right. */
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

/** Says which dimensions the rows do not tell apart everywhere, so that nobody takes the rest for all there was. */
function foldedNote({ folded = [] }: UsageAnswer): readonly string[] {
  return folded.length === 0 ? [] : ['', `not told apart on all days, or beyond its limit: ${folded.join(', ')}`];
}

function pad(text: string, width: number, right = false): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
