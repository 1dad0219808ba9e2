import { expect, test } from 'vitest';
import type { ParsedFamily } from './family-of.ts';
import { parse } from './parse.ts';

const text = (input: string, lenient = false): ParsedFamily[] => parse(input, { format: 'text', lenient });
const openMetrics = (input: string, lenient = false): ParsedFamily[] =>
  parse(input, { format: 'openmetrics', lenient });

/** Families with their points as plain values, without undefined members. */
function plain(families: readonly ParsedFamily[]): unknown {
  const read = families.map((family) => ({ ...family, points: [...family.points] }));
  return JSON.parse(JSON.stringify(read, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)));
}

test('an error names line, column, what was expected and what came', () => {
  expect(() => openMetrics('# TYPE a gauge\na{b="c"} one\n# EOF\n')).toThrow(
    expect.objectContaining({ line: 2, column: 10, reason: 'expected a number, got "one"' }),
  );
});

test('a family has the number of its first line', () => {
  expect(openMetrics('# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# EOF\n').map(({ line }) => line)).toEqual([1, 3]);
});

test('integers beyond 2^53 are kept exactly', () => {
  expect(plain(openMetrics('a 18446744073709551615\n# EOF\n'))).toMatchObject([
    { points: [{ value: '18446744073709551615n' }] },
  ]);
});

test('Prometheus text: a counter loses its suffix, and a counter without suffix is bare', () => {
  const input = '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n# TYPE b counter\nb 2\n';
  expect(plain(text(input))).toMatchObject([
    { type: 'counter', name: 'a', help: 'A.', points: [{ value: 1 }] },
    { type: 'counter', name: 'b', bare: true, points: [{ value: 2 }] },
  ]);
});

test('Prometheus text: spaces, comments, a trailing comma, samples in any order, hexadecimal floats', () => {
  const input = `
# just a comment
 # TYPE   h   histogram
h_sum{a="x"} 5
h_bucket { a = "x" , le = "+Inf" , } 2
h_bucket{a="y",le="1"} 0x1p3 1500
h_bucket{a="x",le="1"}\t1
h_count{a="x"} 2
`;
  expect(plain(text(input))).toMatchObject([
    {
      type: 'histogram',
      points: [
        { labels: { a: 'x' }, bounds: [1], counts: [1, 2], sum: 5 },
        { labels: { a: 'y' }, bounds: [1], counts: [8, 0], timestamp: 1.5 },
      ],
    },
  ]);
});

test.each([
  ['no line feed at the end', 'a 1'],
  ['a second TYPE', '# TYPE a gauge\n# TYPE a gauge\n'],
  ['TYPE after samples', 'a 1\n# TYPE a gauge\n'],
  ['a type of OpenMetrics', '# TYPE a info\n'],
  ['a fractional timestamp', 'a 1 1.5\n'],
  ['an exemplar', 'a 1 # {} 1\n'],
  ['a series twice', 'a{b="c"} 1\na{b="c"} 2\n'],
  ['a family in two places', '# TYPE a gauge\na 1\nb 1\na{x="y"} 2\n'],
  ['a bucket without le', '# TYPE h histogram\nh_bucket 1\n'],
])('Prometheus text rejects %s', (_, input) => {
  expect(() => text(input)).toThrow(expect.objectContaining({ name: 'ParseError' }));
});

test('lenient parsing accepts invalid texts', () => {
  const input = `# a comment\r

# TYPE a counter
a_total   -1
# TYPE b gauge
b 1
a_total{x="y",} 2
# TYPE h histogram
h_bucket{le="1"} 5
h_count 7`;
  expect(plain(openMetrics(input, true))).toMatchObject([
    { name: 'a', points: [{ value: -1 }, { labels: { x: 'y' }, value: 2 }] },
    { name: 'b' },
    { name: 'h', points: [{ bounds: [1], counts: [5, 7] }] },
  ]);
});

test('quoted names are inside the braces', () => {
  const input = '# TYPE "a.b" counter\n{"a.b_total","c d"="e"} 1\n{"a.b_total"} 2\n# EOF\n';
  expect(plain(openMetrics(input))).toMatchObject([
    { name: 'a.b', points: [{ labels: { 'c d': 'e' } }, { labels: {}, value: 2 }] },
  ]);
  expect(() => openMetrics('a{"b"} 1\n# EOF\n')).toThrow('one name before the braces and another inside');
  expect(() => openMetrics('{a="b"} 1\n# EOF\n')).toThrow('expected a metric name');
});
