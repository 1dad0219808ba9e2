import { usageAddress, type UsageAnswer } from './api.ts';
import { createChart, type Chart } from './chart.ts';
import { addDays, daysBetween, formatDay } from './days.ts';
import { byId, element } from './dom.ts';
import { formatCount } from './numbers.ts';
import { shownDays, tableDimensions, tableQuery, type Overview, type Part } from './overview.ts';
import { stack, type Layer } from './stack.ts';
import { plainTable, totalsTable } from './table.ts';

/** The page with counts. */
export interface Page {
  show(overview: Overview): void;
}

const tables = [
  { name: 'organisations', title: 'By organisation', heading: 'Organisation' },
  { name: 'architectures', title: 'By architecture', heading: 'Architecture' },
  { name: 'repositories', title: 'By repository', heading: 'Repository' },
] as const;

/** Creates the page's parts, still empty, in `place`. */
export function createPage(place: HTMLElement): Page {
  const facts = element('dl', { class: 'facts' });
  const chart = createChartSection();
  const sections = tables.map((table) => ({ ...table, ...createSection(table.title) }));
  place.replaceChildren(
    facts,
    chart.section,
    element('div', { class: 'tables' }, ...sections.map(({ section }) => section)),
  );
  return {
    show(overview) {
      const { from, to } = overview;
      byId('period').textContent = `Image pulls from ${formatDay(from)} to ${formatDay(addDays(to, -1))}`;
      facts.replaceChildren(...factsOf(overview));
      chart.show(overview);
      for (const { name, heading, body } of sections) {
        body.replaceChildren(
          ...answered(overview[name], (answer) => [
            totalsTable({ heading, dimensions: tableDimensions[name], rows: answer.rows, total: answer.total }),
            csvLink(tableQuery(name, from, to)),
          ]),
        );
      }
    },
  };
}

function factsOf({ days, to, ever }: Overview): HTMLElement[] {
  const today = addDays(to, -1);
  const facts: [string, bigint][] = [['All time', ever]];
  if ('answer' in days) {
    const { rows, total } = days.answer;
    const ofToday = rows.reduce((sum, row) => (row.from === today ? sum + row.value : sum), 0n);
    facts.unshift(['Today', ofToday], [`Last ${shownDays} days`, total]);
  }
  return facts.map(([name, count]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, formatCount(count))),
  );
}

/** The chart, its legend, and the same numbers as a table. */
function createChartSection(): { section: HTMLElement; show(overview: Overview): void } {
  const { section, body } = createSection('By day');
  const legend = element('ul', { class: 'legend' });
  const place = element('div', { class: 'chart', role: 'img' });
  const numbers = element('div', { class: 'wide' });
  const details = element('details', {}, element('summary', {}, 'Show as a table'), numbers);
  const content = [legend, place, details];
  let chart: Chart | undefined;
  let shown: { days: readonly string[]; layers: readonly Layer[] } = { days: [], layers: [] };

  return {
    section,
    show({ days: part, from, to }) {
      body.replaceChildren(...answered(part, () => content));
      if (!('answer' in part)) return;
      const days = daysBetween(from, to);
      shown = { days, layers: stack(part.answer.rows, 'arch', days) };
      place.setAttribute('aria-label', describe(part.answer, shown.days));
      numbers.replaceChildren(dayTable(shown.days, shown.layers), csvLink({ by: 'day,arch', from, to }));
      showLegend(legend, shown.layers, undefined);
      chart ??= createChart(place, (index) => showLegend(legend, shown.layers, index, shown.days[index ?? -1]));
      chart.show(shown.days, shown.layers);
    },
  };
}

/** Shows names and colours of the layers, and the numbers of `day` if given. */
function showLegend(legend: HTMLElement, layers: readonly Layer[], index: number | undefined, day?: string): void {
  const sum = layers.reduce((total, { values }) => total + (values[index ?? -1] ?? 0), 0);
  const head = day === undefined ? [] : [element('li', { class: 'day' }, `${formatDay(day)}: ${formatCount(sum)}`)];
  const entries = layers.map(({ name, values }, layer) => {
    const value = values[index ?? -1];
    const swatch = element('span', { class: `swatch layer-${layer}`, 'aria-hidden': 'true' });
    return element('li', {}, swatch, value === undefined ? name : `${name} ${formatCount(value)}`);
  });
  legend.replaceChildren(...entries, ...head);
}

function describe({ rows, total }: UsageAnswer, days: readonly string[]): string {
  const byDay = new Map<string, bigint>();
  for (const { from = '', value } of rows) byDay.set(from, (byDay.get(from) ?? 0n) + value);
  const [most] = [...byDay].toSorted(([, a], [, b]) => (a < b ? 1 : -1));
  const peak = most === undefined ? '' : `; maximum on ${formatDay(most[0])}: ${formatCount(most[1])}`;
  return `Pulls of each of ${days.length} days by architecture: ${formatCount(total)} in total${peak}`;
}

/** Newest day first. */
function dayTable(days: readonly string[], layers: readonly Layer[]): HTMLTableElement {
  const rows = days.map((day, index) => {
    const values = layers.map(({ values }) => values[index] ?? 0);
    return [formatDay(day), ...[...values, values.reduce((sum, value) => sum + value, 0)].map(formatCount)];
  });
  return plainTable('Pulls by day', ['Day', ...layers.map(({ name }) => name), 'Total'], rows.toReversed());
}

function createSection(title: string): { section: HTMLElement; body: HTMLElement } {
  const body = element('div');
  return { section: element('section', {}, element('h2', {}, title), body), body };
}

/** The content of a part, or the reason why it is missing. */
function answered(part: Part, show: (answer: UsageAnswer) => HTMLElement[]): HTMLElement[] {
  if ('failure' in part) return [element('p', { class: 'failure' }, `Reading this failed: ${part.failure}`)];
  if (part.answer.total === 0n) return [element('p', { class: 'quiet' }, `No pulls in the last ${shownDays} days.`)];
  return show(part.answer);
}

function csvLink(query: Record<string, string>): HTMLElement {
  const href = usageAddress({ ...query, format: 'csv', limit: '10000' });
  return element('p', { class: 'quiet' }, element('a', { href }, 'CSV'));
}
