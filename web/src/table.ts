import type { UsageRow } from './api.ts';
import { element } from './dom.ts';
import { formatCount, formatShare, share } from './numbers.ts';
import { missing } from './stack.ts';

export interface TotalsTable {
  /** Heading of the first column. */
  readonly heading: string;
  /** Dimensions that name a row, joined by a slash. */
  readonly dimensions: readonly string[];
  readonly rows: readonly UsageRow[];
  /** The sum of all rows, including those not shown. */
  readonly total: bigint;
}

/** Totals by name, largest first, with their shares. One more row sums the rows not shown. */
export function totalsTable({ heading, dimensions, rows, total }: TotalsTable): HTMLTableElement {
  const rest = rows.reduce((left, { value }) => left - value, total);
  const most = [rest, ...rows.map(({ value }) => value)].reduce((a, b) => (a > b ? a : b));
  return element(
    'table',
    { 'aria-label': `Pulls by ${heading.toLowerCase()}` },
    headRow([heading, 'Pulls', 'Share']),
    element(
      'tbody',
      {},
      ...rows.map((row) => totalRow(nameOf(row, dimensions), row.value, total, most)),
      ...(rest > 0n ? [totalRow(['all others'], rest, total, most)] : []),
    ),
    element(
      'tfoot',
      {},
      element('tr', {}, element('th', { scope: 'row' }, 'Total'), number(formatCount(total)), element('td')),
    ),
  );
}

/** A table of text cells. All columns except the first hold numbers. */
export function plainTable(
  label: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): HTMLTableElement {
  const body = rows.map(([name = '', ...cells]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map(number)),
  );
  return element('table', { 'aria-label': label }, headRow(headings), element('tbody', {}, ...body));
}

function headRow(headings: readonly string[]): HTMLTableSectionElement {
  const cells = headings.map((heading, index) =>
    element('th', { scope: 'col', ...(index > 0 && { class: 'number' }) }, heading),
  );
  return element('thead', {}, element('tr', {}, ...cells));
}

/** @param most the largest count of the table, whose bar is the longest */
function totalRow(name: readonly string[], value: bigint, total: bigint, most: bigint): HTMLTableRowElement {
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  // The page's security policy forbids style attributes, but allows setting style properties.
  bar.style.inlineSize = `${share(value, most) * 100}%`;
  const shareCell = element('td', { class: 'number share' }, formatShare(share(value, total)), bar);
  return element('tr', {}, element('th', { scope: 'row' }, ...breakable(name)), number(formatCount(value)), shareCell);
}

/** A name of several parts, with possible line breaks after slashes. */
function breakable(parts: readonly string[]): (Node | string)[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : ['/', element('wbr'), part]));
}

function number(text: string): HTMLTableCellElement {
  return element('td', { class: 'number' }, text);
}

/** The parts of a row's name, split at slashes. */
function nameOf(row: UsageRow, dimensions: readonly string[]): string[] {
  const known = dimensions.flatMap((dimension) => row.dimensions[dimension]?.split('/') ?? []);
  return known.length === 0 ? [missing] : known;
}
