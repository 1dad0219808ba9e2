import { formatDay, usageAsCells, usageColumns, type UsageAnswer, type UsageQuery } from '../usage/index.ts';

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

  const columns = usageColumns(query).map((name) => (name === 'value' ? query.meter : name));
  const last = columns.length - 1;
  const rows = usageAsCells(query, answer, '-').map((cells, index) =>
    cells.map((cell, column) => (column === last ? groupThousands(answer.rows[index]?.value ?? 0n) : printable(cell))),
  );
  const total = columns.map((_, column) =>
    column === last ? groupThousands(answer.total) : column === 0 ? 'total' : '',
  );
  const widths = columns.map((_, column) =>
    Math.max(...[columns, ...rows, total].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[], drawn = ''): string =>
    `${cells.map((cell, column) => pad(cell, widths[column] ?? 0, column === last)).join('  ')}  ${drawn}`.trimEnd();

  const most = answer.rows.reduce((high, { value }) => (value > high ? value : high), 0n);
  const lines = rows.map((cells, index) => line(cells, bar(answer.rows[index]?.value ?? 0n, most, style)));
  // With a single column there is no room for the word; the number stands for itself.
  const sum = last === 0 ? [] : [line(total)];
  return `${[title, '', line(columns), ...lines, ...sum, ...foldedNote(answer)].join('\n')}\n`;
}

/** Says which dimensions the rows do not tell apart everywhere, so that nobody takes the rest for all there was. */
function foldedNote({ folded = [] }: UsageAnswer): readonly string[] {
  return folded.length === 0 ? [] : ['', `not told apart on all days, or beyond its limit: ${folded.join(', ')}`];
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
