import { describe, expect, test } from 'vitest';
import { runProgram } from '../../test/support/program.ts';
import { labelSet, lazily, MetricSet, noLabels, type MetricFamily } from '../metric/index.ts';
import { encode, paced } from './encode.ts';
import { formatOf, openMetrics, prometheusText, type Format } from './format.ts';
import { parse } from './parse/parse.ts';
import { readWithPython, type PythonText } from './testing/python-parser.ts';

/** One family of each type, with all its optional parts. */
const exemplar = { labels: labelSet({ trace_id: 'x' }), value: 0.5, timestamp: 3.25 };
const families: MetricFamily[] = [
  {
    type: 'counter',
    name: 'jobs',
    help: 'Jobs "done"\\\nall.',
    points: [
      { labels: labelSet({ queue: 'a"\\\n', 'http.verb': 'GET' }), value: 3, created: 1.5, exemplar, timestamp: 4 },
    ],
  },
  { type: 'counter', name: 'hits', bare: true, points: [{ labels: noLabels, value: 2n ** 64n }] },
  { type: 'gauge', name: 'heat_celsius', unit: 'celsius', points: [{ labels: noLabels, value: -1.5 }] },
  { type: 'unknown', name: 'misc', points: [{ labels: noLabels, value: Infinity }] },
  { type: 'info', name: 'build', points: [{ labels: labelSet({ host: 'h' }), info: labelSet({ version: '1' }) }] },
  { type: 'stateset', name: 'state', points: [{ labels: noLabels, states: ['on', 'off'], on: [true, false] }] },
  {
    type: 'histogram',
    name: 'wait_seconds',
    points: [
      {
        labels: labelSet({ a: 'b' }),
        bounds: [0.5, 1e6],
        counts: [1, 2, 3],
        sum: 9,
        exemplars: [exemplar],
        created: 2,
      },
    ],
  },
  { type: 'histogram', name: 'cold', points: [{ labels: noLabels, bounds: [-1], counts: [1, 2] }] },
  { type: 'gaugehistogram', name: 'age', points: [{ labels: noLabels, bounds: [1], counts: [1, 2], sum: 3 }] },
  { type: 'summary', name: 'took', points: [{ labels: noLabels, quantiles: [0.5], values: [NaN], sum: 4, count: 2 }] },
];

function textOf(format: Format, created = false): string {
  return Buffer.concat([...encode(families, format, { created })]).toString();
}

test('OpenMetrics 1.0.0', () => {
  expect(textOf(openMetrics, true)).toBe(`# TYPE jobs counter
# HELP jobs Jobs \\"done\\"\\\\\\nall.
jobs_total{queue="a\\"\\\\\\n",http_verb="GET"} 3 4 # {trace_id="x"} 0.5 3.25
jobs_created{queue="a\\"\\\\\\n",http_verb="GET"} 1.5 4
# TYPE hits unknown
hits 18446744073709551616
# TYPE heat_celsius gauge
# UNIT heat_celsius celsius
heat_celsius -1.5
# TYPE misc unknown
misc +Inf
# TYPE build info
build_info{host="h",version="1"} 1
# TYPE state stateset
state{state="on"} 1
state{state="off"} 0
# TYPE wait_seconds histogram
wait_seconds_bucket{a="b",le="0.5"} 1 # {trace_id="x"} 0.5 3.25
wait_seconds_bucket{a="b",le="1e+06"} 2
wait_seconds_bucket{a="b",le="+Inf"} 3
wait_seconds_count{a="b"} 3
wait_seconds_sum{a="b"} 9
wait_seconds_created{a="b"} 2
# TYPE cold histogram
cold_bucket{le="-1.0"} 1
cold_bucket{le="+Inf"} 2
# TYPE age gaugehistogram
age_bucket{le="1.0"} 1
age_bucket{le="+Inf"} 2
age_gcount 2
age_gsum 3
# TYPE took summary
took{quantile="0.5"} NaN
took_count 2
took_sum 4
# EOF
`);
});

test('Prometheus text 0.0.4', () => {
  expect(textOf(prometheusText)).toBe(`# HELP jobs_total Jobs "done"\\\\\\nall.
# TYPE jobs_total counter
jobs_total{queue="a\\"\\\\\\n",http_verb="GET"} 3 4000
# TYPE hits counter
hits 18446744073709551616
# TYPE heat_celsius gauge
heat_celsius -1.5
# TYPE misc untyped
misc +Inf
# TYPE build_info gauge
build_info{host="h",version="1"} 1
# TYPE state gauge
state{state="on"} 1
state{state="off"} 0
# TYPE wait_seconds histogram
wait_seconds_bucket{a="b",le="0.5"} 1
wait_seconds_bucket{a="b",le="1e+06"} 2
wait_seconds_bucket{a="b",le="+Inf"} 3
wait_seconds_count{a="b"} 3
wait_seconds_sum{a="b"} 9
# TYPE cold histogram
cold_bucket{le="-1.0"} 1
cold_bucket{le="+Inf"} 2
cold_count 2
# TYPE age histogram
age_bucket{le="1.0"} 1
age_bucket{le="+Inf"} 2
# TYPE age_gcount gauge
age_gcount 2
# TYPE age_gsum gauge
age_gsum 3
# TYPE took summary
took{quantile="0.5"} NaN
took_count 2
took_sum 4
`);
});

test('OpenMetrics 2.0.0: one line each, start times and exemplars within', () => {
  const text = textOf(formatOf('openmetrics-2.0.0', 'allow-utf-8'), true);
  expect(text).toContain('jobs_total{queue="a\\"\\\\\\n","http.verb"="GET"} 3 4 st@1.5 # {trace_id="x"} 0.5 3.25\n');
  expect(text).toContain('# TYPE hits counter\nhits 18446744073709551616\n');
  expect(text).toContain(
    'wait_seconds{a="b"} {count:3,sum:9,bucket:[0.5:1,1e+06:2,+Inf:3]} st@2 # {trace_id="x"} 0.5 3.25\n',
  );
  expect(text).toContain('age {gcount:2,gsum:3,bucket:[1.0:1,+Inf:2]}\n');
  expect(text).toContain('took {count:2,sum:4,quantile:[0.5:NaN]}\n');
});

test('OpenMetrics 2.0.0: native histograms', () => {
  const set = new MetricSet();
  const histogram = set.histogram({ name: 'h', help: 'H.', buckets: [1], native: { schema: 0, zeroThreshold: 0.5 } });
  for (const value of [0.1, 0.7, 3, 100]) histogram.observe(value);
  const text = Buffer.concat([...encode(set.gather(), formatOf('openmetrics-2.0.0'))]).toString();
  expect(text).toContain(
    'h {count:4,sum:103.8,schema:0,zero_threshold:0.5,zero_count:1,positive_spans:[0:1,1:1,4:1],positive_buckets:[1,1,1],bucket:[1.0:2,+Inf:4]}\n',
  );
});

test.each([
  ['allow-utf-8', '{"a.b_c","größe"="x"} 1'],
  ['underscores', 'a_b_c{gr__e="x"} 1'],
  ['dots', 'a_dot_b__c{gr____e="x"} 1'],
  ['values', 'U__a_2e_b__c{U__gr_f6__df_e="x"} 1'],
] as const)('names under %s', (scheme, line) => {
  const family: MetricFamily = {
    type: 'gauge',
    name: 'a.b_c',
    points: [{ labels: labelSet({ größe: 'x' }), value: 1 }],
  };
  const text = Buffer.concat([...encode([family], formatOf('text-1.0.0', scheme))]).toString();
  expect(text.split('\n')).toContain(line);
});

test('expositions do not affect each other', () => {
  const set = new MetricSet();
  set.counter({ name: 'jobs', help: 'Jobs.' }).inc(3);
  const say = (format: Format): string => Buffer.concat([...encode(set.gather(), format)]).toString();
  const formats = [openMetrics, prometheusText, formatOf('openmetrics-2.0.0'), formatOf('protobuf')];
  const first = formats.map(say);
  expect(formats.map(say)).toEqual(first);
});

test('without families the output is the end mark, or empty', () => {
  expect(Buffer.concat([...encode([], openMetrics)]).toString()).toBe('# EOF\n');
  expect([...encode([], prometheusText)]).toEqual([]);
});

test('chunks are bounded, hold whole points and are encoded on demand', () => {
  let made = 0;
  const points = lazily(function* () {
    for (let n = 0; n < 20_000; n++) {
      made++;
      yield { labels: labelSet({ n: `series ${n}` }), value: n };
    }
  });
  const chunks = encode([{ type: 'gauge', name: 'g', points }], openMetrics);
  const sizes: number[] = [chunks.next().value?.length ?? 0];
  expect(made).toBeLessThan(4000);
  for (const chunk of chunks) {
    sizes.push(chunk.length);
    expect(Buffer.from(chunk).toString()).toMatch(/\n$/);
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
  expect(made).toBe(20_000);
});

test('with reuse, a chunk is valid until the next one', () => {
  const points = Array.from({ length: 5_000 }, (_, n) => ({ labels: labelSet({ n: `series ${n}` }), value: n }));
  const family: MetricFamily = { type: 'gauge', name: 'g', points };
  const own = [...encode([family], openMetrics)];
  let text = '';
  const buffers = new Set<ArrayBufferLike>();
  for (const chunk of encode([family], openMetrics, { reuse: true })) {
    text += Buffer.from(chunk).toString();
    buffers.add(chunk.buffer);
  }
  expect(text).toBe(Buffer.concat(own).toString());
  expect([buffers.size, own.length]).toEqual([1, 2]);
});

test('a point that exceeds the chunk size stays in one chunk', () => {
  const value = 'ü'.repeat(200_000);
  const text = Buffer.concat([
    ...encode([{ type: 'gauge', name: 'g', points: [{ labels: labelSet({ value }), value: 1 }] }], openMetrics),
  ]).toString();
  expect(text).toBe(`# TYPE g gauge\ng{value="${value}"} 1\n# EOF\n`);
});

test('points that throw end the exposition with their error', () => {
  const points = lazily(function* () {
    yield { labels: noLabels, value: 1 };
    throw new Error('the source is gone');
  });
  expect(() => [...encode([{ type: 'gauge', name: 'g', points }], openMetrics)]).toThrow('the source is gone');
});

test('paced: yields to the event loop after the time limit, and skips empty chunks', async () => {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time };
  const chunks = function* (): Generator<Uint8Array> {
    for (let n = 0; n < 10; n++) {
      time += 2;
      yield new Uint8Array(n % 2);
    }
  };
  let turns = 0;
  const count = (): void => {
    turns++;
    if (turns < 1000) setImmediate(count);
  };
  setImmediate(count);
  const sizes: number[] = [];
  for await (const chunk of paced(chunks(), clock)) sizes.push(chunk.length);
  expect(sizes).toEqual([1, 1, 1, 1, 1]);
  expect(turns).toBeGreaterThanOrEqual(3);
});

describe('a bare histogram', () => {
  const point = { bounds: [0.5, 1, 1e6], counts: [1, 2, 3, 4], sum: 9 };
  const bare = (type: 'histogram' | 'gaugehistogram' = 'histogram') => ({
    type,
    name: 'activity',
    help: 'Of a test.',
    bare: true,
    points: [
      { ...point, labels: labelSet({ issuer: '', b: 'x' }) },
      { ...point, labels: noLabels },
    ],
  });
  const buckets = `activity_bucket{issuer="",b="x",le="0.5"} 1
activity_bucket{issuer="",b="x",le="1"} 2
activity_bucket{issuer="",b="x",le="1000000"} 3
activity_bucket{issuer="",b="x",le="+Inf"} 4
activity_bucket{le="0.5"} 1
activity_bucket{le="1"} 2
activity_bucket{le="1000000"} 3
activity_bucket{le="+Inf"} 4
`;
  const plain = ['0.5', '1', '1000000', '+Inf'];
  const encoded = (family: MetricFamily, format: Format) => Buffer.concat([...encode([family], format)]).toString();

  test.each([
    ['histogram', openMetrics, 'histogram'],
    ['gaugehistogram', openMetrics, 'gaugehistogram'],
    ['histogram', prometheusText, 'histogram'],
    ['gaugehistogram', prometheusText, 'histogram'],
  ] as const)('of type %s has buckets only, with plain bounds, in %o', (type, format, written) => {
    const lines = encoded(bare(type), format).replace('# EOF\n', '').split('\n');
    expect(lines).toContain(`# TYPE activity ${written}`);
    expect(lines.filter((line) => !line.startsWith('#')).join('\n')).toBe(buckets);
  });

  test('is accepted by our strict parser, the reference parser and promtool', async () => {
    const texts = (['histogram', 'gaugehistogram'] as const).flatMap((type): PythonText[] => [
      { format: 'openmetrics', text: encoded(bare(type), openMetrics) },
      { format: 'text', text: encoded(bare(type), prometheusText) },
    ]);
    for (const samples of readWithPython(texts)) {
      expect(samples.map(({ labels }) => labels['le'])).toEqual([...plain, ...plain]);
    }
    const promtool = await runProgram('promtool', ['check', 'metrics'], { input: texts[1]!.text });
    expect(promtool).toEqual({ stdout: '', stderr: '' });
    for (const { format, text } of texts) {
      const [family] = parse(text, { format });
      expect([...family!.points]).toMatchObject([
        { labels: labelSet({ issuer: '', b: 'x' }), bounds: point.bounds, counts: point.counts },
        { labels: noLabels, bounds: point.bounds, counts: point.counts },
      ]);
    }
  });

  test.each([formatOf('openmetrics-2.0.0'), formatOf('protobuf')])('changes nothing in $contentType', (format) => {
    const { bare: _, ...canonical } = bare();
    expect(encoded(bare(), format)).toBe(encoded(canonical, format));
  });
});
