import { describe, expect, test } from 'vitest';
import { labelSet, type CounterFamily, type GaugeFamily, type MetricFamily } from '../metric/index.ts';
import { MergedFamilies } from './merged-families.ts';
import type { StaticLabels } from './static-labels.ts';
import { gauge, scrape } from './testing/sources.ts';

const labelled = (labels: Readonly<Record<string, string>>, value: number): GaugeFamily => ({
  ...gauge('users'),
  points: [{ labels: labelSet(labels), value }],
});
const jobs: MetricFamily = { type: 'counter', name: 'jobs', points: [] };

test('a family of two sources with different labels has the series of both', () => {
  const merged = new MergedFamilies();
  merged.add([gauge('groups', 3), labelled({ site: 'a' }, 1)], { site: 'a' });
  merged.add([labelled({ site: 'b' }, 2), gauge('projects', 4)], { site: 'b' });
  expect(merged.families().map(({ name }) => name)).toEqual(['groups', 'users', 'projects']);
  expect([...scrape(merged.families())]).toEqual([
    ['groups', 3],
    ['users{site="a"}', 1],
    ['users{site="b"}', 2],
    ['projects', 4],
  ]);
});

describe('sources share a family', () => {
  test.each<[string, StaticLabels, StaticLabels]>([
    ['one label with different values', { site: 'a' }, { site: 'b' }],
    ['one of several labels with different values', { site: 'a', zone: 'x' }, { site: 'a', zone: 'y' }],
  ])('with %s', (_, one, other) => {
    const merged = new MergedFamilies();
    merged.add([labelled(one, 1)], one);
    merged.add([labelled(other, 2)], other);
    expect(scrape(merged.families()).size).toBe(2);
  });

  test.each<[string, StaticLabels, StaticLabels]>([
    ['the same labels', { site: 'a' }, { site: 'a' }],
    // The series of one source may have the label of the other one.
    ['labels with different names', { site: 'a' }, { zone: 'b' }],
    ['labels of one source only', { site: 'a' }, {}],
    ['no labels', {}, {}],
  ])('but not with %s', (_, one, other) => {
    const merged = new MergedFamilies();
    merged.add([labelled(one, 1)], one);
    expect(() => merged.add([labelled(other, 2)], other)).toThrow(
      'clashes with gauge users of another source; a label in `labels` of both sources, with different values',
    );
  });
});

test.each<[string, Partial<CounterFamily>, string]>([
  ['HELP text', { help: 'Others.' }, 'expected the help of the same family of another source, "Users.", got "Others."'],
  ['unit', { unit: undefined }, 'expected the unit of the same family of another source, "bytes", got undefined'],
  ['name of its samples', { bare: true }, 'expected the bare of the same family'],
])('a family with another %s is rejected', (_, difference, message) => {
  const family: CounterFamily = { type: 'counter', name: 'read_bytes', help: 'Users.', unit: 'bytes', points: [] };
  const merged = new MergedFamilies();
  merged.add([family], { site: 'a' });
  const error = { errorClass: 'invalid', message: expect.stringContaining(message) };
  expect(() => merged.add([{ ...family, ...difference }], { site: 'b' })).toThrow(expect.objectContaining(error));
});

test('names that clash are rejected, and then none of the families is added', () => {
  const merged = new MergedFamilies();
  merged.add([jobs], { site: 'a' });
  expect(() => merged.add([gauge('users'), gauge('jobs_total')], { site: 'b' })).toThrow(
    'gauge jobs_total: its sample name jobs_total clashes with counter jobs',
  );
  expect(() => merged.add([gauge('users'), gauge('users')])).toThrow('users clashes with gauge users');
  // Another type is another family, whatever the labels are.
  expect(() => merged.add([gauge('jobs')], { site: 'b' })).toThrow('jobs clashes with counter jobs');
  expect(merged.families()).toEqual([jobs]);
  expect(() => merged.add([gauge('users')])).not.toThrow();
});
