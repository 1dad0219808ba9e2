import { expect, test } from 'vitest';
import { checkFamily } from './check-family.ts';
import type { MetricFamily } from './family.ts';
import { LabelNames, labelSet, noLabels } from './labels.ts';
import { MetricSet } from './metric-set.ts';

const labels = labelSet({ a: 'b' });

test('the families of instruments are valid', () => {
  const set = new MetricSet();
  set
    .counter({ name: 'a', help: '', labels: ['x'] })
    .labels({ x: 'y' })
    .inc();
  set.histogram({ name: 'b', help: '' }).observe(1);
  set.summary({ name: 'c', help: '' }).observe(1);
  set.info({ name: 'd', help: '' }).set({ version: '1' });
  set.stateSet({ name: 'e', help: '', states: ['on', 'off'] }).enter('on');
  for (const family of set.gather()) expect(() => checkFamily(family)).not.toThrow();
});

test.each<[string, MetricFamily, string]>([
  ['a reserved name', { type: 'gauge', name: '_g', points: [] }, 'gauge _g: names that begin'],
  ['a unit that is not in the name', { type: 'gauge', name: 'g', unit: 'bytes', points: [] }, '_bytes'],
  [
    'a label set twice',
    {
      type: 'gauge',
      name: 'g',
      points: [
        { labels, value: 1 },
        { labels, value: 2 },
      ],
    },
    'gauge g{a="b"}: the label set occurs twice',
  ],
  [
    'an info twice',
    {
      type: 'info',
      name: 'i',
      points: [
        { labels, info: noLabels },
        { labels: noLabels, info: labels },
      ],
    },
    'occurs twice',
  ],
  [
    'a reserved label',
    { type: 'histogram', name: 'h', points: [{ labels: new LabelNames(['le']).of(['1']), bounds: [], counts: [1] }] },
    'label "le" is reserved',
  ],
  [
    'a negative counter',
    { type: 'counter', name: 'c', points: [{ labels, value: -1n }] },
    'counter c{a="b"}: expected a total of at least 0, got -1n',
  ],
  ['a counter that is NaN', { type: 'counter', name: 'c', points: [{ labels, value: NaN }] }, 'got NaN'],
  [
    'a state twice',
    { type: 'stateset', name: 's', points: [{ labels, states: ['x', 'x'], on: [true, false] }] },
    'each state once',
  ],
  [
    'too few bucket counts',
    { type: 'histogram', name: 'h', points: [{ labels, bounds: [1], counts: [1] }] },
    'expected 2 bucket counts for 1 bounds, got 1',
  ],
  [
    'bounds that do not ascend',
    { type: 'histogram', name: 'h', points: [{ labels, bounds: [1, 1], counts: [1, 2, 3] }] },
    'ascending bounds, got 1',
  ],
  [
    'bucket counts that fall',
    { type: 'histogram', name: 'h', points: [{ labels, bounds: [1], counts: [2, 1] }] },
    'cumulative bucket counts, got 1',
  ],
  [
    'a sum with negative bounds',
    { type: 'histogram', name: 'h', points: [{ labels, bounds: [-1], counts: [1, 2], sum: 1 }] },
    'no sum with negative bounds',
  ],
  [
    'a negative sum',
    { type: 'gaugehistogram', name: 'h', points: [{ labels, bounds: [1], counts: [1, 2], sum: -1 }] },
    'a sum of at least 0, got -1',
  ],
  [
    'a quantile above 1',
    { type: 'summary', name: 's', points: [{ labels, quantiles: [2], values: [1] }] },
    'quantiles from 0 to 1, got 2',
  ],
  [
    'a negative quantile value',
    { type: 'summary', name: 's', points: [{ labels, quantiles: [1], values: [-1] }] },
    'values of at least 0, got -1',
  ],
  [
    'a quantile without value',
    { type: 'summary', name: 's', points: [{ labels, quantiles: [1], values: [] }] },
    'a value for each of 1 quantiles, got 0',
  ],
  [
    'a negative count',
    { type: 'summary', name: 's', points: [{ labels, quantiles: [], values: [], count: -1 }] },
    'a count of at least 0, got -1',
  ],
])('%s is refused', (_, family, message) => {
  expect(() => checkFamily(family)).toThrow(message);
  expect(() => checkFamily(family)).toThrow(expect.objectContaining({ code: 'metric_invalid' }));
});

test('one label set at several times is valid', () => {
  const points = [1, 2].map((timestamp) => ({ labels, value: 1, timestamp }));
  expect(() => checkFamily({ type: 'gauge', name: 'g', points })).not.toThrow();
});
