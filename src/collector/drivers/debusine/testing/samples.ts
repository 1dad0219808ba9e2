/** Samples by name and labels: `sampleKey` makes the key. */
export type Samples = ReadonlyMap<string, number>;

/** A sample's identity: its name and its labels in the order of their names, as the text formats write them. */
export function sampleKey(name: string, labels: ReadonlyMap<string, string>): string {
  const sorted = [...labels].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${sorted.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;
}

/** A sample: name, labels if any, value. A label's value ends at the first quote without a backslash before it. */
const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\[^])*")*)\})? (\S+)$/;
const labelPair = /([^=,"]+)="((?:[^"\\]|\\[^])*)"/g;

interface ReadOptions {
  /** A series that is there twice. Default: an error. */
  readonly duplicates?: 'fail' | 'sum';
  /** Labels with an empty value, which mean to Prometheus the same as no label. Default: kept. */
  readonly emptyLabels?: 'keep' | 'drop';
}

/**
 * The samples of a page in OpenMetrics or in Prometheus text. It reads any label name, since the real Debusine writes some that
 * no parser takes.
 */
export function samplesOf(page: string, { duplicates = 'fail', emptyLabels = 'keep' }: ReadOptions = {}): Samples {
  const samples = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, pairs = '', value] = sampleLine.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    const all = [...pairs.matchAll(labelPair)].map(([, label = '', text = '']) => [label, unescape(text)] as const);
    const key = sampleKey(name, new Map(all.filter(([, text]) => emptyLabels === 'keep' || text !== '')));
    const before = samples.get(key);
    if (before !== undefined && duplicates === 'fail') throw new Error(`a series is there twice: ${line}`);
    samples.set(key, Number(value) + (before ?? 0));
  }
  return samples;
}

function unescape(text: string): string {
  return text.replaceAll(/\\([^])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** What differs between two sets of samples, a line for each, at most `limit` lines. Empty: nothing. */
export function differences(actual: Samples, expected: Samples, limit = 20): readonly string[] {
  const lines: string[] = [];
  for (const [key, value] of expected) {
    const other = actual.get(key);
    if (other === undefined) lines.push(`missing: ${key} ${value}`);
    else if (other !== value) lines.push(`${key}: ${other} instead of ${value}`);
  }
  for (const [key, value] of actual) if (!expected.has(key)) lines.push(`surplus: ${key} ${value}`);
  return lines.length > limit ? [...lines.slice(0, limit), `and ${lines.length - limit} more`] : lines;
}
