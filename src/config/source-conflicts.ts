import type { Findings } from './findings.ts';
import { quote } from './problems.ts';
import type { SourceConfig, SourceDriver, SourceDrivers, SourceFamily } from './source-driver.ts';

/** A source with what its driver says about it. */
interface Placed {
  readonly index: number;
  readonly source: SourceConfig;
  readonly driver: SourceDriver;
  readonly page: string;
  readonly families: readonly SourceFamily[];
}

/**
 * Reports labels of a source that its driver uses too, sources of one page that would give the same series, and sources
 * of one page that state it differently.
 */
export function reportConflicts(sources: readonly SourceConfig[], drivers: SourceDrivers, findings: Findings): void {
  const placed = sources.flatMap((source, index): Placed[] => {
    const driver = drivers[source.driver];
    if (driver === undefined) return [];
    const page = driver.page?.of(source) ?? '/metrics';
    return [{ index, source, driver, page, families: driver.families(source) }];
  });
  for (const each of placed) reportUsedLabels(each, findings);
  for (const [index, later] of placed.entries()) {
    const neighbours = placed.slice(0, index).filter(({ page }) => page === later.page);
    const twin = neighbours.find((earlier) => haveSameSeries(earlier, later));
    if (twin !== undefined) reportTwin(twin, later, findings);
    const [first] = neighbours;
    if (first !== undefined) reportPage(first, later, findings);
  }
}

function reportUsedLabels({ index, source, families }: Placed, findings: Findings): void {
  for (const label of Object.keys(source.labels)) {
    const family = families.find(({ labels }) => labels.some((used) => covers(used, label)));
    if (family === undefined) continue;
    const message = `expected a label that the driver does not use, but the family ${family.name} of ${source.driver} has it`;
    findings.reportKey(['sources', index, 'labels', label], message);
  }
}

function covers(used: string, label: string): boolean {
  return used.endsWith('*') ? label.startsWith(used.slice(0, -1)) : label === used;
}

/** Two sources have the same series if they have the same family, unless each has labels, and these differ. */
function haveSameSeries(one: Placed, other: Placed): boolean {
  const [labels, others] = [one.source.labels, other.source.labels].map(textOf);
  const areApart = labels !== others && labels !== '[]' && others !== '[]';
  return !areApart && commonOf(one, other).length > 0;
}

function textOf(labels: SourceConfig['labels']): string {
  return JSON.stringify(Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function commonOf(one: Placed, other: Placed): readonly string[] {
  const names = new Set(other.families.map(({ name }) => name));
  return one.families.map(({ name }) => name).filter((name) => names.has(name));
}

function reportTwin(earlier: Placed, later: Placed, findings: Findings): void {
  const [first = '', ...more] = commonOf(earlier, later);
  const families = more.length === 0 ? `the family ${first}` : `the family ${first} and ${more.length} more`;
  const keys = [earlier, later].flatMap(({ driver }) => driver.page?.key ?? []);
  const orPage = keys[0] === undefined ? '' : `, or ${quote(later.source.name)} a ${keys[0]} of its own`;
  const names = `${quote(earlier.source.name)} and ${quote(later.source.name)}`;
  findings.report(
    ['sources', later.index],
    `expected different labels for ${names}, because both give ${families} on ${later.page}; ` +
      `give each at least one label, such as labels: { site: a }${orPage}`,
  );
}

function reportPage(first: Placed, later: Placed, findings: Findings): void {
  for (const key of later.driver.page?.shared ?? []) {
    const [expected, came] = [first, later].map(({ source }) => JSON.stringify(valueOf(source, key)));
    if (expected === came) continue;
    const why = `because ${quote(first.source.name)} has it on the same page (${later.page})`;
    findings.report(['sources', later.index, key], `expected ${expected}, ${why}, but came ${came}`);
  }
}

function valueOf(source: SourceConfig, key: string): unknown {
  return new Map<string, unknown>(Object.entries(source)).get(key);
}
