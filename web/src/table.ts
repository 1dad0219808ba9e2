import type { UsageRow } from './api.ts';
import { element } from './dom.ts';
import { formatCount, formatShare, share } from './numbers.ts';
import { lacking } from './stack.ts';

/** What a table of totals shows. */
export interface TotalsTable {
  /** Heading of the first column. */
  readonly heading: string;
  /** Dimensions that name a row, joined by a slash. */
  readonly dimensions: readonly string[];
  readonly rows: readonly UsageRow[];
  /** Of all rows, those not shown included. */
  readonly total: bigint;
}

/** Totals by name, largest first, with each one's share; what is beyond the rows is one more row. */
export function totalsTable({ heading, dimensions, rows, total }: TotalsTable): HTMLTableElement {
  const rest = rows.reduce((left, { value }) => left - value, total);
  return element(
    'table',
    {},
    headRow([heading, 'Pulls', 'Share']),
    element(
      'tbody',
      {},
      ...rows.map((row) => totalRow(nameOf(row, dimensions), row.value, total)),
      ...(rest > 0n ? [totalRow('all others', rest, total)] : []),
    ),
    element(
      'tfoot',
      {},
      element('tr', {}, element('th', { scope: 'row' }, 'Total'), number(formatCount(total)), element('td')),
    ),
  );
}

/** A plain table: one row of texts for each entry; all columns but the first hold numbers. */
export function plainTable(headings: readonly string[], rows: readonly (readonly string[])[]): HTMLTableElement {
  const body = rows.map(([name = '', ...cells]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map(number)),
  );
  return element('table', {}, headRow(headings), element('tbody', {}, ...body));
}

function headRow(headings: readonly string[]): HTMLTableSectionElement {
  const cells = headings.map((heading, index) =>
    element('th', { scope: 'col', ...(index > 0 && { class: 'number' }) }, heading),
  );
  return element('thead', {}, element('tr', {}, ...cells));
}

function totalRow(name: string, value: bigint, total: bigint): HTMLTableRowElement {
  const part = share(value, total);
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  // The policy of the page forbids style attributes; properties set by its own code are allowed.
  bar.style.inlineSize = `${part * 100}%`;
  const shareCell = element('td', { class: 'number share' }, formatShare(part), bar);
  return element('tr', {}, element('th', { scope: 'row' }, name), number(formatCount(value)), shareCell);
}

function number(text: string): HTMLTableCellElement {
  return element('td', { class: 'number' }, text);
}

function nameOf(row: UsageRow, dimensions: readonly string[]): string {
  const known = dimensions.flatMap((dimension) => row.dimensions[dimension] ?? []);
  return known.length === 0 ? lacking : known.join('/');
}
