import { describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import {
  labelSet,
  lazily,
  metricTypes,
  noLabels,
  type GaugeFamily,
  type GaugePoint,
  type MetricFamily,
} from '../metric/index.ts';
import { takeSnapshot, withNames } from './snapshot.ts';

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
    expect(takeSnapshot(oneOfEachType)).toEqual({ families: oneOfEachType, dataTimestamp: undefined });
  });

  test('keeps the time of the data', () => {
    expect(takeSnapshot({ families: [], dataTimestamp: 1_795_000_000.5 })).toEqual({
      families: [],
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

  test('is rejected for an invalid data timestamp', () => {
    expect(() => takeSnapshot({ families: [], dataTimestamp: NaN })).toThrow('Unix seconds, got NaN');
  });

  test('is rejected for too many series', () => {
    const many = (count: number) =>
      lazily(function* () {
        for (let index = 0; index < count; index++) yield { labels: labelSet({ index: `${index}` }), value: 1 };
      });
    const rest = gauge('rest', many(limits.sourceSeriesMax - 1));
    expect(takeSnapshot([gauge('one'), rest]).families).toHaveLength(2);
    expect(() => takeSnapshot([gauge('one'), rest, gauge('more')])).toThrow('at most 10000 series, got more');
    // An endless family is not read to its end.
    expect(() => takeSnapshot([gauge('endless', many(Infinity))])).toThrow('at most 10000 series, got more');
  });
});

describe('names', () => {
  test('that clash are rejected, and the names in use are unchanged', () => {
    const taken = withNames(undefined, [{ type: 'counter', name: 'jobs', points: [] }]);
    expect(() => withNames(taken, [gauge('jobs_total')])).toThrow(
      'gauge jobs_total: its sample name jobs_total clashes with counter jobs',
    );
    expect(() => withNames(taken, [gauge('a'), gauge('a')])).toThrow('gauge a: its sample name a clashes with gauge a');
    expect(() => withNames(withNames(taken, [gauge('a')]), [gauge('b')])).not.toThrow();
  });
});
