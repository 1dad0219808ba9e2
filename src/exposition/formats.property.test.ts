import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricFamily } from '../metric/index.ts';
import { encode } from './encode.ts';
import { formatOf, openMetrics, prometheusText, type Format } from './format.ts';
import { parse } from './parse/parse.ts';
import { legacyFamilies, utf8Families } from './testing/arbitrary-families.ts';
import { readWithPython, type PythonText, type ReadSample } from './testing/python-parser.ts';

function textOf(families: Iterable<MetricFamily>, format: Format, created = false): string {
  return Buffer.concat([...encode(families, format, { created })]).toString();
}

/** The lines of samples, without metadata. */
function seriesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('OpenMetrics 1.0: encoding and parsing returns the same families', () => {
  fc.assert(
    fc.property(fc.oneof(legacyFamilies, utf8Families), fc.boolean(), (families, created) => {
      const format = formatOf('openmetrics-1.0.0', 'allow-utf-8');
      const text = textOf(families, format, created);
      expect(textOf(parse(text, { format: 'openmetrics' }), format, created)).toBe(text);
    }),
    { numRuns: 400 },
  );
});

test('Prometheus text: encoding and parsing returns the same series', () => {
  fc.assert(
    fc.property(fc.oneof(legacyFamilies, utf8Families), (drawn) => {
      const format = formatOf('text-1.0.0', 'allow-utf-8');
      // A gauge histogram is written as buckets only and parsed as a histogram, which then has a count.
      const families = drawn.filter(({ type }) => type !== 'gaugehistogram');
      const text = textOf(families, format);
      expect(seriesOf(textOf(parse(text, { format: 'text' }), format)).sort()).toEqual(seriesOf(text).sort());
    }),
    { numRuns: 400 },
  );
});

test('families parsed from OpenMetrics encode to the same Prometheus text as the originals', () => {
  fc.assert(
    fc.property(legacyFamilies, (families) => {
      const read = parse(textOf(families, openMetrics), { format: 'openmetrics' });
      expect(seriesOf(textOf(read, prometheusText))).toEqual(seriesOf(textOf(families, prometheusText)));
    }),
    { numRuns: 400 },
  );
});

test('every escaping scheme except allow-utf-8 produces legacy names', () => {
  fc.assert(
    fc.property(
      utf8Families,
      fc.constantFrom('underscores' as const, 'dots' as const, 'values' as const),
      (families, scheme) => {
        const text = textOf(families, formatOf('text-1.0.0', scheme));
        for (const line of seriesOf(text)) expect(line).toMatch(/^[a-zA-Z_:][a-zA-Z0-9_:]*[{ ]/);
        expect(() => parse(text, { format: 'text' })).not.toThrow();
      },
    ),
  );
});

test('the reference parsers accept both text formats and read the same series', () => {
  const models = fc.sample(legacyFamilies, { numRuns: 300, seed: 1 });
  const texts = models.flatMap((families): PythonText[] => [
    { format: 'openmetrics', text: textOf(families, openMetrics) },
    { format: 'openmetrics', text: textOf(families, openMetrics, true) },
    { format: 'text', text: textOf(families, prometheusText) },
  ]);
  const read = readWithPython(texts);
  for (const index of models.keys()) {
    const [plain = [], created = [], prometheus = []] = read.slice(index * 3, index * 3 + 3);
    expect(sortedWithout(created, '_created')).toEqual(sortedWithout(plain, '_created'));
    expect(sortedWithout(prometheus, '_count')).toEqual(sortedWithout(plain, '_count'));
  }
});

/** Sorted samples, without those of a suffix. */
function sortedWithout(samples: readonly ReadSample[], suffix: string): string[] {
  return samples
    .filter(({ name }) => !name.endsWith(suffix))
    .map(({ name, labels, value }) =>
      JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)), value]),
    )
    .sort();
}
