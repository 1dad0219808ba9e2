import { expect, test } from 'vitest';
import type { MetricFamily } from './family.ts';
import { lazily } from './family.ts';
import { labelSet, noLabels } from './labels.ts';
import { MetricSet } from './metric-set.ts';

/** The values of all points that have a single value, by series such as `jobs{queue="a"}`. */
function valuesOf(set: MetricSet): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const family of set.gather()) {
    if (family.type !== 'counter' && family.type !== 'gauge') continue;
    for (const { labels, value } of family.points) values[`${family.name}{${labels.text}}`] = value;
  }
  return values;
}

test('instruments count, and one label set is one series in any order of labels', () => {
  const set = new MetricSet();
  const jobs = set.counter({ name: 'jobs', help: 'Jobs.', labels: ['queue', 'state'] });
  const bound = jobs.labels({ queue: 'a', state: 'done' });
  bound.inc();
  bound.inc(2.5);
  expect(jobs.labels({ state: 'done', queue: 'a' })).toBe(bound);
  const heat = set.gauge({ name: 'heat', help: 'Heat.' });
  heat.set(5);
  heat.inc();
  heat.dec(3);
  expect(valuesOf(set)).toMatchObject({ 'jobs{queue="a",state="done"}': 3.5, 'heat{}': 3 });
});

test('values are read at each gather, and bigints stay exact', () => {
  const set = new MetricSet();
  let total = 2n ** 60n;
  set.counter({ name: 'bytes', help: 'Bytes.', read: () => total });
  set.gauge({ name: 'size', help: 'Size.', read: () => Number(total % 7n) });
  expect(valuesOf(set)).toMatchObject({ 'bytes{}': 2n ** 60n, 'size{}': 1 });
  total += 1n;
  expect(valuesOf(set)).toMatchObject({ 'bytes{}': 2n ** 60n + 1n, 'size{}': 2 });
});

test('histograms count into the right bucket, the bound included', () => {
  const set = new MetricSet();
  const wait = set.histogram({ name: 'wait_seconds', unit: 'seconds', help: 'Wait.', buckets: [0.1, 1] });
  for (const value of [0.1, 0.2, 1, 5]) wait.observe(value);
  expect(wait).toMatchObject({ bounds: [0.1, 1], counts: [1, 3, 4], sum: 6.3 });
});

test('a histogram whose sum may fall has no sum', () => {
  const set = new MetricSet();
  const cold = set.histogram({ name: 'cold', help: 'Cold.', buckets: [-1, 1] });
  cold.observe(3);
  expect(cold.sum).toBeUndefined();
  const mixed = set.histogram({ name: 'mixed', help: 'Mixed.', buckets: [1] });
  mixed.observe(3);
  expect(mixed.sum).toBe(3);
  mixed.observe(-1);
  expect(mixed.sum).toBeUndefined();
});

test('summaries, infos and state sets', () => {
  const set = new MetricSet();
  const took = set.summary({ name: 'took', help: 'Took.' });
  took.observe(2);
  took.observe(3);
  expect(took).toMatchObject({ count: 2, sum: 5 });
  const build = set.info({ name: 'build', help: 'Build.', labels: ['part'] }).labels({ part: 'core' });
  build.set({ version: '1' });
  build.set({ version: '2' });
  expect(build.info.toJSON()).toEqual({ version: '2' });
  const state = set.stateSet({ name: 'state', help: 'State.', states: ['off', 'on', 'broken'] });
  state.enter('on');
  expect(state.on).toEqual([false, true, false]);
  state.set('broken', true);
  expect(state.on).toEqual([false, true, true]);
  state.enter('off');
  expect(state.on).toEqual([true, false, false]);
});

test('with a clock, series record when they began, and exemplars their time', () => {
  const set = new MetricSet({ clock: { now: () => 12_500, monotonic: () => 0 } });
  const jobs = set.counter({ name: 'jobs', help: 'Jobs.' });
  jobs.incWithExemplar(2, { trace_id: 'x' });
  expect(jobs).toMatchObject({ created: 12.5, value: 2, exemplar: { value: 2, timestamp: 12.5 } });
  const wait = set.histogram({ name: 'wait', help: 'Wait.', buckets: [1] });
  wait.observeWithExemplar(5, { trace_id: 'y' });
  expect(wait.exemplars?.map((exemplar) => exemplar?.labels.get('trace_id'))).toEqual([undefined, 'y']);
  expect(new MetricSet().counter({ name: 'jobs', help: 'Jobs.' }).created).toBeUndefined();
});

test('beyond seriesMax, label sets share one overflow series, and a counter counts them', () => {
  const set = new MetricSet({ prefix: 'own' });
  const hits = set.counter({ name: 'hits', help: 'Hits.', labels: ['path'], seriesMax: 2 });
  for (const path of ['a', 'b', 'c', 'd', 'a', 'c']) hits.labels({ path }).inc();
  expect(hits.size).toBe(2);
  expect(valuesOf(set)).toMatchObject({
    'hits{path="a"}': 2,
    'hits{path="b"}': 1,
    'hits{path="__other__"}': 3,
    'own_folded{family="hits"}': 3,
  });
  expect(hits.labels({ path: '__other__' })).toBe(hits.labels({ path: 'z' }));
});

test('removing a series makes room for another', () => {
  const set = new MetricSet();
  const hits = set.gauge({ name: 'hits', help: 'Hits.', labels: ['path'], seriesMax: 1 });
  const first = hits.labels({ path: 'a' });
  expect(hits.remove({ path: 'a' })).toBe(true);
  expect(hits.remove({ path: 'a' })).toBe(false);
  hits.labels({ path: 'b' }).set(1);
  first.set(9);
  expect([...hits].map(({ labels }) => labels.text)).toEqual(['path="b"']);
  hits.clear();
  expect([hits.size, [...hits].length]).toEqual([0, 0]);
});

const gauge = (name: string, value = 1): MetricFamily => ({
  type: 'gauge',
  name,
  points: [{ labels: noLabels, value }],
});

test('a callback that throws or returns invalid names loses only its own families', () => {
  const errors: unknown[] = [];
  const set = new MetricSet({ prefix: 'own', onError: (error) => errors.push(error) });
  set.gauge({ name: 'before', help: 'Before.' });
  set.collect(() => {
    throw new Error('gone');
  });
  set.gauge({ name: 'broken', help: 'Broken.', read: () => Number(JSON.parse('{')) });
  set.collect(() => [gauge('found'), gauge('before')]);
  set.collect(() => [gauge('_reserved')]);
  set.collect(function* () {
    yield gauge('twice');
  });
  set.collect(() => [gauge('twice')]);
  set.gauge({ name: 'after', help: 'After.' });
  const names = set.gather().map(({ name }) => name);
  expect(names).toEqual(['own_source_failures', 'own_folded', 'before', 'twice', 'after']);
  expect(errors).toHaveLength(5);
  expect(errors[0]).toMatchObject({ message: 'gone' });
  expect(errors[2]).toMatchObject({ code: 'metric_invalid' });
  expect(valuesOf(set)['own_source_failures{}']).toBe(10);
});

test('an added family is read again at each gather', () => {
  const set = new MetricSet();
  let value = 0;
  set.add({
    type: 'gauge',
    name: 'live',
    points: lazily(function* () {
      yield { labels: labelSet({ n: '1' }), value: ++value };
    }),
  });
  expect([valuesOf(set)['live{n="1"}'], valuesOf(set)['live{n="1"}']]).toEqual([1, 2]);
});

test.each<[string, (set: MetricSet) => unknown, string]>([
  [
    'the same name twice',
    (set) => set.gauge({ name: 'jobs', help: '' }),
    'gauge jobs: its sample name jobs clashes with counter jobs',
  ],
  [
    'a gauge that is named like a counter’s total',
    (set) => set.gauge({ name: 'jobs_total', help: '' }),
    'jobs_total clashes with counter jobs',
  ],
  [
    'a gauge that is named like a created time',
    (set) => set.gauge({ name: 'jobs_created', help: '' }),
    'jobs_created clashes with counter jobs',
  ],
  [
    'a gauge that is named like a histogram’s count',
    (set) => set.gauge({ name: 'wait_count', help: '' }),
    'wait_count clashes with histogram wait',
  ],
  [
    'a histogram whose sample name is that of a gauge',
    (set) => set.histogram({ name: 'heat', help: '' }),
    'heat_sum clashes with gauge heat_sum',
  ],
  [
    'names that differ only in punctuation',
    (set) => set.gauge({ name: 'heat.sum', help: '' }),
    'heat_sum clashes with gauge heat_sum',
  ],
  [
    'a counter with its suffix',
    (set) => set.counter({ name: 'a_total', help: '' }),
    'expected the name without _total',
  ],
  ['an info with its suffix', (set) => set.info({ name: 'a_info', help: '' }), 'expected the name without _info'],
  ['an empty name', (set) => set.gauge({ name: '', help: '' }), 'expected a name'],
  ['a reserved name', (set) => set.gauge({ name: '_a', help: '' }), 'underscore are reserved'],
  [
    'a unit that is not in the name',
    (set) => set.gauge({ name: 'a', help: '', unit: 'bytes' }),
    'ends with its unit, _bytes',
  ],
  [
    'a reserved label name',
    (set) => set.gauge({ name: 'a', help: '', labels: ['__name__'] }),
    'label "__name__" begins with an underscore',
  ],
  ['le on a histogram', (set) => set.histogram({ name: 'a', help: '', labels: ['le'] }), 'label "le" is reserved'],
  [
    'quantile on a summary',
    (set) => set.summary({ name: 'a', help: '', labels: ['quantile'] }),
    'label "quantile" is reserved',
  ],
  [
    'a state set’s own name as label',
    (set) => set.stateSet({ name: 'a', help: '', states: ['x'], labels: ['a'] }),
    'label "a" is reserved',
  ],
  ['a label twice', (set) => set.gauge({ name: 'a', help: '', labels: ['x', 'x'] }), 'label "x" occurs twice'],
  ['a state twice', (set) => set.stateSet({ name: 'a', help: '', states: ['x', 'x'] }), 'a state occurs twice'],
  ['bounds that do not ascend', (set) => set.histogram({ name: 'a', help: '', buckets: [2, 1] }), 'got 2 before 1'],
  ['an infinite bound', (set) => set.histogram({ name: 'a', help: '', buckets: [1, Infinity] }), 'got Infinity'],
  [
    'a schema out of range',
    (set) => set.histogram({ name: 'a', help: '', native: { schema: 9 } }),
    'schema from -4 to 8, got 9',
  ],
  [
    'a cap of 0',
    (set) => set.gauge({ name: 'a', help: '', labels: ['x'], seriesMax: 0 }),
    'seriesMax of at least 1, got 0',
  ],
])('registration refuses %s', (_, register, message) => {
  const set = new MetricSet();
  set.counter({ name: 'jobs', help: '' });
  set.histogram({ name: 'wait', help: '' });
  set.gauge({ name: 'heat_sum', help: '' });
  const before = set.gather().length;
  expect(() => register(set)).toThrow(message);
  expect(() => register(set)).toThrow(/^BUG: /);
  expect(set.gather()).toHaveLength(before);
});

test.each<[string, (set: MetricSet) => unknown, string]>([
  [
    'a negative increment',
    (set) => set.counter({ name: 'a', help: '' }).inc(-1),
    'counter a: expected a finite increment of at least 0, got -1',
  ],
  [
    'an increment of NaN',
    (set) =>
      set
        .counter({ name: 'a', help: '', labels: ['x'] })
        .labels({ x: 'y' })
        .inc(NaN),
    'counter a{x="y"}: expected a finite increment of at least 0, got NaN',
  ],
  ['an infinite increment', (set) => set.counter({ name: 'a', help: '' }).inc(Infinity), 'got Infinity'],
  [
    'a gauge that is incremented by NaN',
    (set) => set.gauge({ name: 'a', help: '' }).inc(NaN),
    'gauge a: expected a number, got NaN',
  ],
  [
    'an observation of NaN',
    (set) => set.histogram({ name: 'a', help: '' }).observe(NaN),
    'histogram a: expected a number to observe, got NaN',
  ],
  [
    'a negative observation of a summary',
    (set) => set.summary({ name: 'a', help: '' }).observe(-1),
    'at least 0, got -1',
  ],
  [
    'a missing label',
    (set) => set.gauge({ name: 'a', help: '', labels: ['x'] }).labels({} as { x: string }),
    'gauge a: label "x" needs a string, got undefined',
  ],
  [
    'a label that is no string',
    (set) => set.gauge({ name: 'a', help: '', labels: ['x'] }).labels({ x: 5 as unknown as string }),
    'label "x" needs a string, got 5',
  ],
  [
    'an unknown label',
    (set) => set.gauge({ name: 'a', help: '', labels: ['x'] }).labels({ x: '', y: 'z' } as { x: string }),
    'has no label "y" (value "z"); its labels: x',
  ],
  [
    'an unknown state',
    (set) => set.stateSet({ name: 'a', help: '', states: ['on'] }).enter('off' as 'on'),
    'has no state "off"; its states: on',
  ],
  [
    'a fact that is a label',
    (set) =>
      set
        .info({ name: 'a', help: '', labels: ['x'] })
        .labels({ x: 'y' })
        .set({ x: 'z' }),
    'label x identifies the metric',
  ],
  [
    'an exemplar that is too long',
    (set) => set.counter({ name: 'a', help: '' }).incWithExemplar(1, { x: 'y'.repeat(128) }),
    'at most 128 characters, got 129',
  ],
])('a call refuses %s and says where', (_, call, message) => {
  expect(() => call(new MetricSet())).toThrow(message);
});

test('a rejected increment changes nothing', () => {
  const jobs = new MetricSet().counter({ name: 'jobs', help: '' });
  jobs.inc(2);
  expect(() => jobs.inc(NaN)).toThrow('got NaN');
  expect(() => jobs.inc(-1)).toThrow('got -1');
  expect(jobs.value).toBe(2);
});
