import { describe, expect, test } from 'vitest';
import { labelSet, type CounterFamily, type GaugeFamily, type MetricFamily } from '../metric/index.ts';
import { MergedFamilies } from './merged-families.ts';
import type { SeriesLabels, StaticLabels } from './static-labels.ts';
import { gauge, scrape } from './testing/sources.ts';

const labelled = (labels: Readonly<Record<string, string>>, value: number): GaugeFamily => ({
  ...gauge('users'),
  points: [{ labels: labelSet(labels), value }],
});
const apart = (labels: StaticLabels, own: readonly string[] = []): SeriesLabels => ({
  labels,
  labelNames: new Set([...Object.keys(labels), ...own]),
});
const jobs: MetricFamily = { type: 'counter', name: 'jobs', points: [] };

test('a family of two sources with different labels has the series of both', () => {
  const merged = new MergedFamilies();
  merged.add([gauge('groups', 3), labelled({ site: 'a' }, 1)], apart({ site: 'a' }));
  merged.add([labelled({ site: 'b' }, 2), gauge('projects', 4)], apart({ site: 'b' }));
  expect(merged.families().map(({ name }) => name)).toEqual(['groups', 'users', 'projects']);
  expect([...scrape(merged.families())]).toEqual([
    ['groups', 3],
    ['users{site="a"}', 1],
    ['users{site="b"}', 2],
    ['projects', 4],
  ]);
});

describe('sources share a family', () => {
  test.each<[string, SeriesLabels, SeriesLabels]>([
    ['one label with different values', apart({ site: 'a' }), apart({ site: 'b' })],
    ['one of several labels with different values', apart({ site: 'a', zone: 'x' }), apart({ site: 'a', zone: 'y' })],
    ['labels with different names', apart({ site: 'a' }), apart({ zone: 'a' })],
    ['one more label', apart({ site: 'a' }), apart({ site: 'a', zone: 'b' })],
    ['one label less', apart({ site: 'a', zone: 'b' }), apart({ site: 'a' })],
    [
      'labels of which the series of only one have the other name',
      apart({ site: 'a' }, ['zone']),
      apart({ zone: 'a' }),
    ],
  ])('with %s', (_, one, other) => {
    const merged = new MergedFamilies();
    merged.add([labelled(one.labels, 1)], one);
    merged.add([labelled(other.labels, 2)], other);
    expect(scrape(merged.families()).size).toBe(2);
  });

  test.each<[string, SeriesLabels | undefined, SeriesLabels | undefined]>([
    ['the same labels', apart({ site: 'a', zone: 'b' }), apart({ zone: 'b', site: 'a' })],
    ['labels of one source only', apart({ site: 'a' }), apart({})],
    ['an empty label, which is the same as none', apart({ site: 'a' }), apart({ site: '' })],
    ['no labels', apart({}), apart({})],
    [
      'one more label that the series of the other may have',
      apart({ site: 'a' }, ['zone']),
      apart({ site: 'a', zone: 'b' }),
    ],
    ['labels whose names the series of the other have', apart({ site: 'a' }, ['zone']), apart({ zone: 'b' }, ['site'])],
    ['the process, which has no labels', undefined, apart({ site: 'a' })],
  ])('but not with %s', (_, one, other) => {
    const merged = new MergedFamilies();
    merged.add([labelled({}, 1)], one);
    expect(() => merged.add([labelled({}, 2)], other)).toThrow(
      'clashes with gauge users of another source; `labels` of both sources that differ tell them apart',
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
  merged.add([family], apart({ site: 'a' }));
  const error = { errorClass: 'invalid', message: expect.stringContaining(message) };
  expect(() => merged.add([{ ...family, ...difference }], apart({ site: 'b' }))).toThrow(
    expect.objectContaining(error),
  );
});

test('names that clash are rejected, and then none of the families is added', () => {
  const merged = new MergedFamilies();
  merged.add([jobs], apart({ site: 'a' }));
  expect(() => merged.add([gauge('users'), gauge('jobs_total')], apart({ site: 'b' }))).toThrow(
    'gauge jobs_total: its sample name jobs_total clashes with counter jobs',
  );
  expect(() => merged.add([gauge('users'), gauge('users')])).toThrow('users clashes with gauge users');
  // Another type is another family, whatever the labels are.
  expect(() => merged.add([gauge('jobs')], apart({ site: 'b' }))).toThrow('jobs clashes with counter jobs');
  expect(merged.families()).toEqual([jobs]);
  expect(() => merged.add([gauge('users')])).not.toThrow();
});
