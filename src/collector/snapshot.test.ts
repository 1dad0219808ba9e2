import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { limits, systemClock } from '../base/index.ts';
import { encode, openMetrics } from '../exposition/index.ts';
import {
  LabelNames,
  labelSet,
  lazily,
  MetricSet,
  metricTypes,
  noLabels,
  type GaugeFamily,
  type GaugePoint,
  type MetricFamily,
} from '../metric/index.ts';
import { takePacedSnapshot, takeSnapshot, type Snapshot } from './snapshot.ts';

const gauge = (name: string, points: GaugeFamily['points'] = [{ labels: noLabels, value: 1 }]): GaugeFamily => ({
  type: 'gauge',
  name,
  help: 'Of a test.',
  points,
});

const labels = noLabels;
const oneOfEachType: readonly MetricFamily[] = [
  gauge('a_gauge_like'),
  { type: 'unknown', name: 'b', points: [{ labels, value: 1 }] },
  { type: 'counter', name: 'c', points: [{ labels, value: 1n }] },
  { type: 'info', name: 'd', points: [{ labels, info: labelSet({ version: '1' }) }] },
  { type: 'stateset', name: 'e', points: [{ labels, states: ['on'], on: [true] }] },
  { type: 'histogram', name: 'f', points: [{ labels, bounds: [1], counts: [0, 1], sum: 2 }] },
  { type: 'gaugehistogram', name: 'g', points: [{ labels, bounds: [1], counts: [0, 1] }] },
  { type: 'summary', name: 'h', points: [{ labels, quantiles: [0.5], values: [1] }] },
];

describe('a snapshot', () => {
  test('keeps families of every type unchanged', () => {
    expect(oneOfEachType.map(({ type }) => type).toSorted()).toEqual([...metricTypes].sort());
    expect(takeSnapshot(oneOfEachType)).toMatchObject({
      families: oneOfEachType,
      series: 12,
      dataTimestamp: undefined,
    });
  });

  test('keeps the time of the data', () => {
    expect(takeSnapshot({ families: [], dataTimestamp: 1_795_000_000.5 })).toMatchObject({
      families: [],
      series: 0,
      dataTimestamp: 1_795_000_000.5,
    });
  });

  test('reads lazy points once and never changes', () => {
    let reads = 0;
    const lazy = lazily(function* () {
      yield { labels: noLabels, value: ++reads };
    });
    const [family] = takeSnapshot([gauge('lazy', lazy)]).families;
    expect([[...family!.points], [...family!.points], reads]).toEqual([
      [{ labels: noLabels, value: 1 }],
      [{ labels: noLabels, value: 1 }],
      1,
    ]);
  });

  test('is rejected if reading points throws', () => {
    const broken = lazily<GaugePoint>(() => {
      throw new Error('the cursor is gone');
    });
    expect(() => takeSnapshot([gauge('lazy', broken)])).toThrow('the cursor is gone');
  });

  test.each<[string, MetricFamily, string]>([
    ['a reserved name', gauge('_hidden'), 'reserved'],
    ['a negative total', { type: 'counter', name: 'c', points: [{ labels, value: -1 }] }, 'at least 0'],
    ['a total that is NaN', { type: 'counter', name: 'c', points: [{ labels, value: NaN }] }, 'at least 0'],
    [
      'a series that occurs twice',
      gauge(
        'g',
        [1, 2].map((value) => ({ labels, value })),
      ),
      'twice',
    ],
  ])('is rejected for %s', (_, family, message) => {
    expect(() => takeSnapshot([family])).toThrow(message);
    expect(() => takeSnapshot([family])).toThrow(expect.objectContaining({ code: 'metric_invalid' }));
  });

  test.each([NaN, -1, 1_795_000_000_000])('is rejected for %d as the time of its data', (dataTimestamp) => {
    expect(() => takeSnapshot({ families: [], dataTimestamp })).toThrow(`Unix seconds, got ${dataTimestamp}`);
  });

  test('is rejected for too many series', () => {
    const many = (count: number) =>
      lazily(function* () {
        for (let index = 0; index < count; index++) yield { labels: labelSet({ index: `${index}` }), value: 1 };
      });
    const rest = gauge('rest', many(limits.sourceSeriesMax - 1));
    expect(takeSnapshot([gauge('one'), rest]).families).toHaveLength(2);
    expect(() => takeSnapshot([gauge('one'), rest, gauge('more')])).toThrow('at most 300000 series, got more');
    // An endless family is not read to its end.
    expect(() => takeSnapshot([gauge('endless', many(Infinity))])).toThrow('at most 300000 series, got more');
  });
});

describe('a snapshot of instruments', () => {
  test('does not change as they count, and has every figure of theirs', () => {
    const set = new MetricSet();
    const counter = set.counter({ name: 'c', help: 'Of a test.' });
    const histogram = set.histogram({ name: 'h', help: 'Of a test.', buckets: [1] });
    const state = set.stateSet({ name: 's', help: 'Of a test.', states: ['on'] });
    counter.incWithExemplar(1, { trace: 'a' });
    histogram.observeWithExemplar(0.5, { trace: 'b' });
    const text = (families: readonly MetricFamily[]) => Buffer.concat([...encode(families, openMetrics)]).toString();
    const families = set.gather();
    const expected = text(families);
    const snapshot = takeSnapshot(families);
    expect(text(snapshot.families)).toBe(expected);
    counter.inc();
    histogram.observeWithExemplar(0.6, { trace: 'c' });
    state.set('on', true);
    expect(text(snapshot.families)).toBe(expected);
    expect(text(takeSnapshot(families, { site: 'a' }).families)).toContain('c_total{site="a"} 2 # {trace="a"} 1');
  });
});

describe('static labels', () => {
  const labelled = (family: MetricFamily, site: Readonly<Record<string, string>> = { site: 'a', zone: 'b' }) =>
    takeSnapshot([family], site).families[0]!;

  test.each(oneOfEachType)('are added to a series without labels: $type', (family) => {
    expect([...labelled(family).points].map((point) => point.labels.text)).toEqual(['site="a",zone="b"']);
  });

  test('are added to series with labels, which go on to share their names', () => {
    const series = ['x', 'y'].map((value) => ({ value: 1, labels: new LabelNames(['queue']).of([value]) }));
    const points = [...labelled(gauge('jobs', series)).points];
    expect(points.map((point) => point.labels.text)).toEqual([
      'site="a",zone="b",queue="x"',
      'site="a",zone="b",queue="y"',
    ]);
    const shared = new LabelNames(['queue']);
    const [one, other] = labelled(
      gauge(
        'jobs',
        ['x', 'y'].map((v) => ({ value: 1, labels: shared.of([v]) })),
      ),
    ).points;
    expect(one!.labels.names).toBe(other!.labels.names);
  });

  test('are among the names of all labels of the series', () => {
    const families = [
      gauge('a', [{ labels: labelSet({ x: '1' }), value: 1 }]),
      gauge('b', [{ labels: labelSet({ y: '1', z: '1' }), value: 1 }]),
    ];
    expect([...takeSnapshot(families, { site: 'a' }).labelNames].toSorted()).toEqual(['site', 'x', 'y', 'z']);
  });

  test.each<[string, MetricFamily]>([
    ['a label of a series', gauge('users', [{ labels: labelSet({ zone: 'x' }), value: 1 }])],
    ['a fact of an info series', { type: 'info', name: 'users', points: [{ labels, info: labelSet({ zone: 'x' }) }] }],
  ])('are rejected if one has the name of %s', (_, family) => {
    const message = `${family.type} users: expected static labels that its series do not have, got "zone"`;
    expect(() => labelled(family)).toThrow(expect.objectContaining({ errorClass: 'invalid', message }));
  });

  test('are rejected if one is reserved for the type of a family', () => {
    expect(() => labelled(oneOfEachType[5]!, { le: '1' })).toThrow('"le" is reserved for this type');
  });
});

describe('a paced snapshot', () => {
  const names = new LabelNames(['index', 'architecture_amd64', 'architecture_arm64', 'worker_pool']);
  /** As many series as a Debusine database with workers for ten architectures has. */
  const points = lazily(function* () {
    for (let index = 0; index < 205_000; index++) yield { labels: names.of([`${index}`, '0', '1', '']), value: index };
  });
  const families = [gauge('many', points)];
  const labels = { site: 'a' };

  test('is the same as one that is taken at once', async () => {
    const snapshot = await takePacedSnapshot(families, labels, systemClock);
    expect(snapshot.series).toBe(205_000);
    const digest = ({ families: [family] }: Snapshot) =>
      createHash('sha256')
        .update(JSON.stringify([...family!.points]))
        .digest('hex');
    expect(digest(snapshot)).toBe(digest(takeSnapshot(families, labels)));
  });

  test('leaves the event loop to other work again and again', async () => {
    const gaps: number[] = [];
    let ended = false;
    const observe = async () => {
      for (let last = performance.now(); !ended; last += gaps.at(-1) ?? 0) {
        await new Promise((resume) => setImmediate(resume));
        gaps.push(performance.now() - last);
      }
    };
    const begun = performance.now();
    const observed = observe();
    await takePacedSnapshot(families, labels, systemClock);
    const tookMs = performance.now() - begun;
    ended = true;
    await observed;
    // Other processes and garbage collections lengthen some steps, so judge by the usual one.
    const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
    expect(usual).toBeLessThan(3 * limits.expositionStretchMsMax);
    expect(gaps.length).toBeGreaterThan(tookMs / (10 * limits.expositionStretchMsMax));
  });
});
