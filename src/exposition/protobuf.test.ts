import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelSet, MetricSet, noLabels, type MetricFamily } from '../metric/index.ts';
import { encode } from './encode.ts';
import { formatOf, prometheusText } from './format.ts';
import { canonicalFloat } from './numbers.ts';
import { legacyFamilies } from './testing/arbitrary-families.ts';
import {
  messagesOf,
  readDelimited,
  readMessage,
  signedOf,
  stringOf,
  type ProtoMessage,
} from './testing/proto-reader.ts';

function messagesFor(families: Iterable<MetricFamily>, created = false): ProtoMessage[] {
  return readDelimited(Buffer.concat([...encode(families, formatOf('protobuf'), { created })]));
}

function labelsOf(metric: ProtoMessage): string {
  return messagesOf(metric, 1)
    .map((pair) => JSON.stringify([stringOf(pair, 1), stringOf(pair, 2)]))
    .sort()
    .join();
}

/** The series of a protobuf exposition, as `name labels value`. */
function seriesOfMessages(messages: readonly ProtoMessage[]): string[] {
  return messages.flatMap((family) => {
    const name = stringOf(family, 1);
    return messagesOf(family, 4).flatMap((metric) => {
      const labels = labelsOf(metric);
      const value = [2, 3, 5].flatMap((field) => messagesOf(metric, field)).map((message) => message.get(1)?.[0]);
      const buckets = messagesOf(metric, 7).flatMap((histogram) =>
        messagesOf(histogram, 3).map(
          (bucket) =>
            `${name}_bucket ${labels} ${canonicalFloat(Number(bucket.get(2)?.[0]))} ${Number(bucket.get(1)?.[0])}`,
        ),
      );
      const counts = messagesOf(metric, 4).flatMap((summary) => [
        `${name}_count ${labels} ${Number(summary.get(1)?.[0])}`,
        `${name}_sum ${labels} ${Number(summary.get(2)?.[0])}`,
      ]);
      return [...value.map((number) => `${name} ${labels} ${Number(number)}`), ...buckets, ...counts];
    });
  });
}

test('any families have the same series as in text', () => {
  fc.assert(
    fc.property(legacyFamilies, (drawn) => {
      const families = drawn.filter(({ type }) => type !== 'gaugehistogram');
      const series = seriesOfMessages(messagesFor(families));
      const text = Buffer.concat([...encode(families, prometheusText)]).toString();
      const names = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      // Skip lines for the count and sum of histograms and the quantiles of summaries; other tests compare them.
      const histograms = families.filter(({ type }) => type === 'histogram').map(({ name }) => name);
      const summaries = families.filter(({ type }) => type === 'summary').map(({ name }) => name);
      const compared = names.filter((line) => {
        const name = /^[^{ ]*/.exec(line)?.[0] ?? '';
        return !histograms.some((h) => name === `${h}_sum` || name === `${h}_count`) && !summaries.includes(name);
      });
      expect(series.length).toBe(compared.length);
      expect(series.map((line) => line.split(' ')[0] ?? '').sort()).toEqual(
        compared.map((line) => /^[^{ ]*/.exec(line)?.[0] ?? '').sort(),
      );
    }),
    { numRuns: 200 },
  );
});

test('types, units, help, labels and values', () => {
  const families: MetricFamily[] = [
    {
      type: 'counter',
      name: 'a_seconds',
      unit: 'seconds',
      help: 'A.',
      points: [{ labels: labelSet({ x: 'ä"' }), value: 2n ** 60n }],
    },
    { type: 'gauge', name: 'b', points: [{ labels: noLabels, value: -1.5, timestamp: -1.25 }] },
    { type: 'unknown', name: 'c', points: [{ labels: noLabels, value: NaN }] },
    { type: 'info', name: 'd', points: [{ labels: noLabels, info: labelSet({ version: '1' }) }] },
    { type: 'stateset', name: 'e', points: [{ labels: noLabels, states: ['on', 'off'], on: [true, false] }] },
    { type: 'gaugehistogram', name: 'f', points: [{ labels: noLabels, bounds: [1], counts: [1, 2.5], sum: 3 }] },
  ];
  const messages = messagesFor(families);
  expect(messages.map((family) => [stringOf(family, 1), Number(family.get(3)?.[0])])).toEqual([
    ['a_seconds_total', 0],
    ['b', 1],
    ['c', 3],
    ['d_info', 1],
    ['e', 1],
    ['f', 5],
  ]);
  const [counter, gauge, , , states, histogram] = messages;
  expect([stringOf(counter!, 2), stringOf(counter!, 5)]).toEqual(['A.', 'seconds']);
  expect(seriesOfMessages([counter!])).toEqual([`a_seconds_total ["x","ä\\""] ${2 ** 60}`]);
  const metric = messagesOf(gauge!, 4)[0]!;
  expect(BigInt.asIntN(64, metric.get(6)?.[0] as bigint)).toBe(-1250n);
  expect(seriesOfMessages([states!])).toEqual(['e ["e","on"] 1', 'e ["e","off"] 0']);
  const body = messagesOf(messagesOf(histogram!, 4)[0]!, 7)[0]!;
  expect([body.get(4)?.[0], body.get(2)?.[0]]).toEqual([2.5, 3]);
});

test('created times and exemplars', () => {
  const exemplar = { labels: labelSet({ trace_id: 'x' }), value: 1, timestamp: 2.5 };
  const points = [{ labels: noLabels, value: 1, created: 1.75, exemplar }];
  const [family] = messagesFor([{ type: 'counter', name: 'a', points }], true);
  const counter = messagesOf(messagesOf(family!, 4)[0]!, 3)[0]!;
  const created = messagesOf(counter, 3)[0]!;
  expect([created.get(1)?.[0], created.get(2)?.[0]]).toEqual([1n, 750_000_000n]);
  const read = messagesOf(counter, 2)[0]!;
  expect([labelsOf(read), read.get(2)?.[0]]).toEqual(['["trace_id","x"]', 1]);
  const [without] = messagesFor([{ type: 'counter', name: 'a', points }]);
  expect(messagesOf(messagesOf(without!, 4)[0]!, 3)[0]!.has(3)).toBe(false);
});

test('native histograms: spans and differences', () => {
  const set = new MetricSet();
  const histogram = set.histogram({ name: 'h', help: 'H.', buckets: [], native: { schema: 0, zeroThreshold: 0.001 } });
  for (const value of [0, 1, 1.5, 1.7, 100, -3]) histogram.observe(value);
  const family = messagesFor(set.gather()).find((message) => stringOf(message, 1) === 'h')!;
  const body = messagesOf(messagesOf(family, 4)[0]!, 7)[0]!;
  expect(signedOf(body, 5)).toEqual([0]);
  expect([body.get(1)?.[0], body.get(6)?.[0], body.get(7)?.[0]]).toEqual([6n, 0.001, 1n]);
  const spans = messagesOf(body, 12).map((span) => [signedOf(span, 1)[0], Number(span.get(2)?.[0])]);
  // 1 is in bucket 0 (up to 1), 1.5 and 1.7 in bucket 1 (up to 2), 100 in bucket 7 (up to 128).
  expect(spans).toEqual([
    [0, 2],
    [5, 1],
  ]);
  expect(signedOf(body, 13)).toEqual([1, 1, -1]);
  expect(messagesOf(body, 9).map((span) => signedOf(span, 1)[0])).toEqual([2]);
  expect(signedOf(body, 10)).toEqual([1]);
});

test('an empty native histogram has an empty span', () => {
  const set = new MetricSet();
  set.histogram({ name: 'h', help: 'H.', buckets: [], native: { zeroThreshold: 0 } });
  const family = messagesFor(set.gather()).find((message) => stringOf(message, 1) === 'h')!;
  expect(messagesOf(messagesOf(messagesOf(family, 4)[0]!, 7)[0]!, 12)).toHaveLength(1);
});

test('a family larger than a chunk is one message', () => {
  const set = new MetricSet();
  const counter = set.counter({ name: 'c', help: 'C.', labels: ['n'], seriesMax: 10_000 });
  for (let n = 0; n < 10_000; n++) counter.labels({ n: `series ${n}` }).inc(n);
  const chunks = [...encode(set.gather(), formatOf('protobuf'))];
  expect(chunks.filter(({ length }) => length > 0).length).toBeGreaterThan(3);
  const family = readDelimited(Buffer.concat(chunks)).find((message) => stringOf(message, 1) === 'c_total')!;
  const metrics = (family.get(4) ?? []).map((bytes) => readMessage(bytes as Uint8Array));
  expect(metrics).toHaveLength(10_000);
  expect(messagesOf(metrics.at(-1)!, 3)[0]?.get(1)?.[0]).toBe(9999);
});
