import { expect, test } from 'vitest';
import type { MetricFamily } from '../../metric/index.ts';
import { filterFamilies } from './filter.ts';

const families: readonly MetricFamily[] = [
  { type: 'counter', name: 'pulls', points: [] },
  { type: 'gauge', name: 'pulls_now', points: [] },
  { type: 'histogram', name: 'wait_seconds', points: [] },
  { type: 'gaugehistogram', name: 'queue_seconds', points: [] },
  { type: 'summary', name: 'size_bytes', points: [] },
  { type: 'info', name: 'build', points: [] },
  { type: 'counter', bare: true, name: 'hits', points: [] },
];

test.each([
  [[], families.map(({ name }) => name)],
  [['pulls'], ['pulls']],
  [['pulls_total'], ['pulls']],
  [['pulls_now_total'], []],
  [['wait_seconds_bucket'], ['wait_seconds']],
  [
    ['size_bytes_count', 'wait_seconds_sum', 'wait_seconds'],
    ['wait_seconds', 'size_bytes'],
  ],
  [['queue_seconds_gcount'], ['queue_seconds']],
  [['build_info'], ['build']],
  [['hits'], ['hits']],
  [['nothing'], []],
  [[''], []],
  [['pulls', 'pulls'], ['pulls']],
])('names %j select %j', (names, answered) => {
  expect(filterFamilies(families, names).map(({ name }) => name)).toEqual(answered);
});
