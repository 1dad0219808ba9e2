import { expect, test } from 'vitest';
import type { MetricFamily } from '../family.ts';
import { labelSet, noLabels } from '../labels.ts';
import { MetricSet } from '../metric-set.ts';
import { lint } from './lint.ts';

const value = { labels: noLabels, value: 1 };
const gauge = (name: string, labels = noLabels): MetricFamily => ({
  type: 'gauge',
  name,
  help: 'Help.',
  points: [{ labels, value: 1 }],
});

test.each<[string, MetricFamily, string]>([
  ['helpMissing', { type: 'gauge', name: 'a', points: [value] }, 'has no help text'],
  [
    'counterWithoutTotal',
    { type: 'counter', name: 'a', help: 'A.', bare: true, points: [value] },
    'should end with _total',
  ],
  ['suffixOfAnotherType', gauge('a_total'), 'a gauge should not end with _total, which is for counters'],
  ['suffixOfAnotherType', gauge('a_count'), 'should not end with _count'],
  ['labelOfAnotherType', gauge('a', labelSet({ le: '1' })), 'label le is for histogram and gaugehistogram'],
  ['notBaseUnit', gauge('a_milliseconds'), 'use the base unit seconds instead of milliseconds'],
  ['unitAbbreviated', gauge('a_ms'), 'seconds instead of ms'],
  ['typeInName', gauge('a_gauge_level'), 'should not contain its type, gauge'],
  ['colonInName', gauge('job:a:rate'), 'colons are for recording rules'],
  ['camelCase', gauge('queueLength'), 'snake_case'],
  ['camelCase', gauge('a', labelSet({ queueName: 'x' })), 'label queueName'],
  ['metricNameInLabel', gauge('version', labelSet({ version: '1' })), 'a label repeats'],
])('%s', (rule, family, message) => {
  expect(lint([family])).toEqual([{ family, rule, message: expect.stringContaining(message) }]);
});

test('the own families of a metric set follow the naming rules', () => {
  const set = new MetricSet();
  set.counter({ name: 'jobs', help: 'Jobs.', labels: ['queue'] });
  set.stateSet({ name: 'state', help: 'State.', states: ['on'] }).enter('on');
  set.summary({ name: 'took_seconds', unit: 'seconds', help: 'Took.' });
  expect(lint(set.gather())).toEqual([]);
});
