import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode, formatOf, type EscapingScheme, type Format } from '../../src/exposition/index.ts';
import { labelSet, noLabels, type MetricFamily } from '../../src/metric/index.ts';
import { buildGoProgram, type GoProgram } from '../support/go.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** What we write, read by the parser that Prometheus' own programs share (Go, `expfmt`), where there is a Go to build it. */
let directory: string;
let parser: GoProgram;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-expfmt-'));
  const folder = fileURLToPath(new URL('../support/go-expfmt', import.meta.url));
  parser = await buildGoProgram(folder, join(directory, 'expfmt-check'));
  if (parser.kind === 'absent') process.stderr.write(`Prometheus' Go parser is not tried: ${parser.why}\n`);
}, 400_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Values by series, as Go reads them; `undefined` where there is no Go. Throws with what the parser says. */
function readWithGo(bytes: Uint8Array, contentType: string): ReadonlyMap<string, number> | undefined {
  if (parser.kind === 'absent') return undefined;
  const { status, stdout, stderr } = spawnSync(parser.path, [contentType], { input: bytes, encoding: 'utf8' });
  if (status !== 0) throw new Error(`refused: ${stderr}\n${Buffer.from(bytes).toString()}`);
  const samples = JSON.parse(stdout) as { labels: Record<string, string>; value: string }[];
  return new Map(samples.map(({ labels, value }) => [seriesKey(labels), Number(value.replace('Inf', 'Infinity'))]));
}

/** Labels in a fixed order, bounds as numbers: Go writes `1` where OpenMetrics writes `1.0`. */
function seriesKey(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels).map(([name, value]) => [name, name === 'le' ? Number(value) : value]);
  return JSON.stringify(entries.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

const encoded = (families: readonly MetricFamily[], format: Format): Buffer =>
  Buffer.concat([...encode(families, format)]);

/** All that a label value may hold and a format must escape. */
const odd = 'a "b" \\ c\nd, {größer} = 日本';

const native = { schema: 3, zeroThreshold: 1e-9, zeroCount: 1, positive: [], negative: [], count: 3, sum: 2.5 };

/** One family of each type, and what a reader must find of it in Prometheus' own formats. */
const each: readonly { readonly family: MetricFamily; readonly found: readonly [string, object, number][] }[] = [
  {
    family: {
      type: 'gauge',
      name: 'temperature_celsius',
      help: odd,
      points: [{ labels: labelSet({ odd }), value: -1.5 }],
    },
    found: [['temperature_celsius', { odd }, -1.5]],
  },
  {
    family: { type: 'unknown', name: 'anything', points: [{ labels: noLabels, value: NaN }] },
    found: [['anything', {}, NaN]],
  },
  {
    family: {
      type: 'counter',
      name: 'pulls',
      points: [
        {
          labels: labelSet({ arch: 'amd64' }),
          value: 2n ** 60n,
          created: 1,
          exemplar: { labels: labelSet({ trace_id: 'x' }), value: 1, timestamp: 2 },
        },
        { labels: labelSet({ arch: '' }), value: 0.25 },
      ],
    },
    found: [
      ['pulls_total', { arch: 'amd64' }, 2 ** 60],
      ['pulls_total', { arch: '' }, 0.25],
    ],
  },
  {
    family: { type: 'counter', bare: true, name: 'hits', points: [{ labels: noLabels, value: Infinity }] },
    found: [['hits', {}, Infinity]],
  },
  {
    family: { type: 'info', name: 'build', points: [{ labels: noLabels, info: labelSet({ version: '1.0' }) }] },
    found: [['build_info', { version: '1.0' }, 1]],
  },
  {
    family: {
      type: 'stateset',
      name: 'state',
      points: [{ labels: noLabels, states: ['up', 'down'], on: [true, false] }],
    },
    found: [
      ['state', { state: 'up' }, 1],
      ['state', { state: 'down' }, 0],
    ],
  },
  {
    family: {
      type: 'histogram',
      name: 'wait_seconds',
      unit: 'seconds',
      points: [{ labels: labelSet({ odd }), bounds: [0.5, 1], counts: [1, 2, 3], sum: 2.5, native }],
    },
    found: [
      ['wait_seconds_bucket', { odd, le: '0.5' }, 1],
      ['wait_seconds_bucket', { odd, le: '1' }, 2],
      ['wait_seconds_bucket', { odd, le: 'Infinity' }, 3],
      ['wait_seconds_sum', { odd }, 2.5],
      ['wait_seconds_count', { odd }, 3],
    ],
  },
  {
    family: {
      type: 'summary',
      name: 'size_bytes',
      points: [{ labels: noLabels, quantiles: [0.5, 0.99], values: [1, NaN], sum: 10, count: 4 }],
    },
    found: [
      ['size_bytes', { quantile: '0.5' }, 1],
      ['size_bytes', { quantile: '0.99' }, NaN],
      ['size_bytes_sum', {}, 10],
      ['size_bytes_count', {}, 4],
    ],
  },
];
const found = new Map(
  each.flatMap((one) => one.found.map(([name, labels, value]) => [seriesKey({ __name__: name, ...labels }), value])),
);

describe("Prometheus' own parser finds what was written", () => {
  test.each([
    formatOf('text-0.0.4'),
    formatOf('text-1.0.0'),
    formatOf('text-1.0.0', 'allow-utf-8'),
    formatOf('protobuf'),
    formatOf('protobuf', 'allow-utf-8'),
  ])('of every type, in $contentType', (format) => {
    const families = each.map(({ family }) => family);
    const read = readWithGo(encoded(families, format), format.contentType) ?? found;
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(found));
  });

  const schemes: readonly (readonly [EscapingScheme, string, string])[] = [
    ['allow-utf-8', 'http.größe_total', 'http.method'],
    ['underscores', 'http_gr__e_total', 'http_method'],
    ['dots', 'http_dot_gr____e__total', 'http_dot_method'],
    ['values', 'U__http_2e_gr_f6__df_e__total', 'U__http_2e_method'],
  ];
  test.each(schemes)('of names beyond ASCII, escaped by %s', (escaping, name, label) => {
    const family: MetricFamily = {
      type: 'counter',
      name: 'http.größe',
      points: [{ labels: labelSet({ 'http.method': 'GET' }), value: 1 }],
    };
    const expected = new Map([[seriesKey({ __name__: name, [label]: 'GET' }), 1]]);
    for (const format of [formatOf('text-1.0.0', escaping), formatOf('protobuf', escaping)]) {
      expect(readWithGo(encoded([family], format), format.contentType) ?? expected).toEqual(expected);
    }
  });
});

describe('the real server', () => {
  let server: Tonnage;
  beforeAll(async () => {
    server = await startTonnage(directory, {});
  });
  afterAll(async () => void (await server.program.stop('SIGKILL')));

  /** Without what the runtime says of itself, which comes and goes from one moment to the next. */
  async function read(accept: string): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(server.metricsUrl, { headers: { accept } });
    const bytes = Buffer.from(await response.arrayBuffer());
    const series = readWithGo(bytes, response.headers.get('content-type') ?? '') ?? new Map<string, number>();
    return new Map([...series].filter(([key]) => !/"__name__","(nodejs|process)_/.test(key)));
  }

  test.each([
    'text/plain; version=1.0.0; escaping=allow-utf-8',
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  ])('in %s says what it says in text 0.0.4', async (accept) => {
    const before = await read('text/plain; version=0.0.4');
    const asked = await read(accept);
    const after = await read('text/plain; version=0.0.4');
    expect([...asked.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    const still = [...before].filter(([key, value]) => after.get(key) === value);
    expect(still.filter(([key, value]) => asked.get(key) !== value)).toEqual([]);
    expect(still.length > 50).toBe(parser.kind === 'built');
  });
});
