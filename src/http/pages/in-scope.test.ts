import { describe, expect, test } from 'vitest';
import { encode, openMetrics, parse, prometheusText, type Format } from '../../exposition/index.ts';
import { labelSet, type HistogramPoint, type MetricFamily } from '../../metric/index.ts';
import { gaugeOf } from '../testing/pages.ts';
import { encodeInScope } from './in-scope.ts';

/** Names that a careless comparison would confuse, or take for several labels. */
const scopes = [
  'debian',
  'debia',
  'debian2',
  '',
  'we"ird\\scope',
  '日本 ☃ é{x="y",}',
  'a",scope="debian',
  ',scope="debian"',
  'line\nfeed',
  '\\',
  '\\n',
  'scope',
];

/** Families as of a Debusine source: the label is first, last, between others, absent, or part of another name or value. */
const families: readonly MetricFamily[] = [
  gaugeOf(
    'artifacts',
    scopes.flatMap((scope, at) => [
      [{ category: 'debian:upload', scope }, at],
      [{ category: 'debian:blhc', scope }, 0],
    ]),
  ),
  gaugeOf(
    'groups',
    scopes.map((scope, at) => [{ scope, ephemeral: '0' }, at]),
  ),
  gaugeOf(
    'work_requests',
    scopes.map((scope, at) => [{ backend: `scope="${scopes.at(-1 - at)}"`, scope, status: `,scope="${scope}"` }, at]),
  ),
  gaugeOf(
    'workers',
    scopes.map((scope, at) => [{ telescope: scope, worker_pool: `scope="debian",scope="debian" ${at}` }, at]),
  ),
  gaugeOf('users', [[{ active: '1' }, 3]]),
  gaugeOf('total', [[{}, 12]]),
  {
    type: 'histogram',
    name: 'user_activity',
    help: 'Users.',
    points: scopes.map((scope, at): HistogramPoint => ({
      labels: labelSet({ scope }),
      bounds: [1, 3],
      counts: [0, at, 20],
    })),
  },
];

const textOf = (chunks: Iterable<Uint8Array>): string => Buffer.concat([...chunks]).toString();

/** The label values of a sample's line, read character by character. */
function labelsOf(line: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  let at = line.indexOf('{') + 1;
  while (at > 0 && line[at] !== '}') {
    const equals = line.indexOf('=', at);
    let value = '';
    let end = equals + 2;
    for (; line[end] !== '"'; end++) {
      if (line[end] === '\\') value += line[++end] === 'n' ? '\n' : line[end];
      else value += line[end];
    }
    labels.set(line.slice(at, equals), value);
    at = line[end + 1] === ',' ? end + 2 : end + 1;
  }
  return labels;
}

/** The lines of the whole page that a scope should see. */
function expectedLines(format: Format, scope: string): readonly string[] {
  return textOf(encode(families, format))
    .split('\n')
    .filter((line) => line.startsWith('#') || (labelsOf(line).get('scope') ?? scope) === scope);
}

describe('the page of a scope has the rows of the whole page that have this scope, or no label scope', () => {
  const cases = [...scopes, 'unknown'].flatMap((scope) => [
    [scope, openMetrics] as const,
    [scope, prometheusText] as const,
  ]);

  test.each(cases)('%j: $syntax', (scope, format) => {
    const page = textOf(encodeInScope(families, scope, format));
    expect(page.split('\n')).toEqual(expectedLines(format, scope));
    parse(page, { format: format === openMetrics ? 'openmetrics' : 'text' });
  });

  test('each row of a family with scopes is on the page of one scope', () => {
    const rows = scopes.flatMap((scope) => textOf(encodeInScope(families, scope, openMetrics)).split('\n'));
    const scoped = (lines: readonly string[]) => lines.filter((line) => labelsOf(line).has('scope')).toSorted();
    expect(scoped(rows)).toEqual(scoped(textOf(encode(families, openMetrics)).split('\n')));
    expect(scoped(rows)).toHaveLength(scopes.length * 7);
  });
});

test('a long search gives the caller chances to pause', () => {
  const many = gaugeOf(
    'artifacts',
    Array.from({ length: 10_000 }, (_, at) => [{ category: `${at}`, scope: 'other' }, 1]),
  );
  const chunks = [...encodeInScope([many], 'debian', openMetrics)];
  expect(chunks.filter(({ length }) => length === 0).length).toBeGreaterThan(15);
  expect(textOf(chunks)).toBe('# TYPE artifacts gauge\n# HELP artifacts Number of artifacts\n# EOF\n');
});
