import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { limits, systemClock, type Clock } from '../base/index.ts';
import { labelSet, lazily, lint, noLabels, type GaugePoint } from '../metric/index.ts';
import type { CollectorSet } from './collector-set.ts';
import type { Collected, Collector } from './contract.ts';
import { SourceError, sourceErrorClasses, type SourceErrorClass } from './source-error.ts';
import { about, fails, gauge, newSet, scrape, source } from './testing/sources.ts';

/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };
const never = () => new Promise<Collected>(() => undefined);
const brokenPoints = lazily<GaugePoint>(fails(new Error('the cursor is gone')));

let opened: CollectorSet[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.map((set) => set.close()));
  opened = [];
});

function open(clock: Clock = systemClock) {
  const parts = newSet(clock);
  opened.push(parts.set);
  return parts;
}

/** Scrapes after the started reads have ended. */
async function settled(set: CollectorSet): Promise<ReadonlyMap<string, number>> {
  await vi.waitFor(() => expect(set.status().every(({ up }) => up !== undefined)).toBe(true), patience);
  return scrape(set.gather());
}

describe('a source that is read on its schedule', () => {
  test('is served from its snapshot, with its status', async () => {
    const { set } = open();
    set.add(source('site', async () => ({ families: [gauge('users', 7)], dataTimestamp: 1_794_999_000 })));
    const begun = Date.now() / 1000;
    const started = systemClock.monotonic();
    set.start();
    const samples = await settled(set);
    expect(samples.get('users')).toBe(7);
    expect(samples.get(about('site', 'up'))).toBe(1);
    expect(samples.get(about('site', 'data_timestamp_seconds'))).toBe(1_794_999_000);
    const tookSeconds = (systemClock.monotonic() - started) / 1000;
    const succeeded = samples.get(about('site', 'last_success_timestamp_seconds'))!;
    expect(succeeded).toBeGreaterThanOrEqual(begun - 0.001);
    expect(succeeded).toBeLessThanOrEqual(Date.now() / 1000 + 0.001);
    expect(samples.get(about('site', 'collect_duration_seconds'))).toBeLessThanOrEqual(tookSeconds);
    for (const errorClass of sourceErrorClasses) {
      expect(samples.get(about('site', 'errors_total', { class: errorClass }))).toBe(0);
    }
  });

  test('is read at each interval, independently of scrapes', async () => {
    const { set } = open();
    let reads = 0;
    set.add(source('site', () => [gauge('reads', ++reads)], 20));
    set.start();
    await vi.waitFor(() => expect(reads).toBeGreaterThanOrEqual(3), patience);
    for (let scrapes = 0; scrapes < 20; scrapes++) set.gather();
    expect(scrape(set.gather()).get('reads')).toBe(reads);
  });

  test('does not delay a scrape: while its first read hangs, only its errors are exposed', async () => {
    const { set } = open();
    set.add({ ...source('slow', never), deadlineMs: 60_000 });
    set.start();
    const begun = systemClock.monotonic();
    const samples = scrape(set.gather());
    expect(systemClock.monotonic() - begun).toBeLessThan(60_000);
    expect([...samples.keys()].filter((key) => key.includes('slow'))).toEqual(
      sourceErrorClasses.map((errorClass) => about('slow', 'errors_total', { class: errorClass })),
    );
  });
});

describe('a broken source affects only its own families', () => {
  test.each<[string, Collector['collect'], SourceErrorClass, string]>([
    ['throws', fails(new Error('no such table')), 'failed', 'no such table'],
    ['rejects', async () => Promise.reject(new Error('no such table')), 'failed', 'no such table'],
    ['hangs', never, 'timeout', 'within 50 ms, got none'],
    ['says why', fails(new SourceError('denied', 'the password is wrong')), 'denied', 'the password is wrong'],
    ['finds what is invalid', () => [gauge('_users')], 'invalid', 'reserved'],
    ['finds points that fail', () => [{ ...gauge('users'), points: brokenPoints }], 'failed', 'the cursor is gone'],
    ['finds one family twice', () => [gauge('users'), gauge('users')], 'invalid', 'clashes with gauge users'],
    ['finds a name of this process', () => [gauge('jobs_total')], 'invalid', 'clashes with counter jobs'],
    ['finds a name about sources', () => [gauge('tonnage_source_up')], 'invalid', 'clashes with gauge tonnage_source'],
  ])('one that %s', async (_, collect, errorClass, message) => {
    const { set, metrics, lines } = open();
    metrics.counter({ name: 'jobs', help: 'Of a test.' });
    set.add(source('before', async () => [gauge('before_users', 1)]));
    set.add(source('broken', collect));
    set.add(source('after', async () => [gauge('after_users', 2)]));
    set.start();
    const samples = await settled(set);
    expect([samples.get('before_users'), samples.get('after_users'), samples.get('jobs_total')]).toEqual([1, 2, 0]);
    expect(['before', 'broken', 'after'].map((name) => samples.get(about(name, 'up')))).toEqual([1, 0, 1]);
    expect(samples.get(about('broken', 'errors_total', { class: errorClass }))).toBe(1);
    expect(samples.has(about('broken', 'last_success_timestamp_seconds'))).toBe(false);
    expect(samples.has('users')).toBe(false);
    const { lastError } = set.status().find(({ name }) => name === 'broken')!;
    expect(lastError).toMatchObject({ class: errorClass, message: expect.stringContaining(message) });
    expect(lines).toEqual([expect.stringMatching(/^warn: reading a source failed .*"source":"broken"/)]);
  });

  test('of two with the same name, the later one', async () => {
    const { set } = open();
    let names = ['first_users'];
    set.add(source('first', () => names.map((name) => gauge(name, 1))));
    set.add(source('second', () => [gauge('second_users', 2)]));
    await set.read('first');
    await set.read('second');
    names = ['first_users', 'second_users'];
    await expect(set.read('first')).rejects.toMatchObject({ errorClass: 'invalid' });
    const samples = scrape(set.gather());
    // The first is still served from its snapshot, and the second is unaffected.
    expect([samples.get('first_users'), samples.get('second_users')]).toEqual([1, 2]);
    expect([samples.get(about('first', 'up')), samples.get(about('second', 'up'))]).toEqual([0, 1]);
  });

  test('one that hangs is aborted once and not read again', async () => {
    const { set } = open();
    let begun = 0;
    let aborted = 0;
    set.add({
      name: 'slow',
      collector: {
        collect: (signal) => {
          begun++;
          signal.addEventListener('abort', () => aborted++);
          return never();
        },
      },
      intervalMs: 5,
      deadlineMs: 20,
    });
    set.start();
    await settled(set);
    await pause(100);
    await expect(set.read('slow')).rejects.toThrow('previous read missed its deadline and is still running');
    expect([begun, aborted]).toEqual([1, 1]);
    expect(scrape(set.gather()).get(about('slow', 'errors_total', { class: 'timeout' }))).toBe(1);
  });
});

describe('sources with the same family', () => {
  const labelled = (name: string, labels: Readonly<Record<string, string>>, help = 'Of a test.') => ({
    ...source(name, () => [{ ...gauge('users', 7), help }]),
    labels,
  });

  test('are one family if their static labels tell them apart', async () => {
    const { set } = open();
    set.add(labelled('a', { site: 'a' }));
    set.add(labelled('b', { site: 'b' }));
    for (const name of ['a', 'b']) await set.read(name);
    expect(set.gather().filter(({ name }) => name === 'users')).toHaveLength(1);
    const samples = scrape(set.gather());
    expect([samples.get('users{site="a"}'), samples.get('users{site="b"}')]).toEqual([7, 7]);
    expect(scrape(set.families('b'))).toEqual(new Map([['users{site="b"}', 7]]));
  });

  test('fail with the class invalid if the HELP texts differ', async () => {
    const { set } = open();
    set.add(labelled('a', { site: 'a' }));
    set.add(labelled('b', { site: 'b' }, 'Users.'));
    await set.read('a');
    await expect(set.read('b')).rejects.toMatchObject({
      errorClass: 'invalid',
      message: 'gauge users: expected the help of the same family of another source, "Of a test.", got "Users."',
    });
  });

  test('fail with the class invalid if a static label is a label of a series', async () => {
    const { set } = open();
    const points = [{ labels: labelSet({ site: 'x' }), value: 1 }];
    set.add({ ...source('a', () => [{ ...gauge('users'), points }]), labels: { site: 'a' } });
    await expect(set.read('a')).rejects.toMatchObject({
      errorClass: 'invalid',
      message: 'gauge users: expected static labels that its series do not have, got "site"',
    });
  });
});

describe('a source that is read at the scrape', () => {
  test('is read at each scrape only', async () => {
    const { set } = open();
    let reads = 0;
    set.add({ name: 'runtime', collector: { collect: () => [gauge('reads', ++reads)] }, interval: 'scrape' });
    set.start();
    await set.read('runtime');
    expect([scrape(set.gather()).get('reads'), scrape(set.gather()).get('reads')]).toEqual([1, 2]);
    expect(scrape(set.gather()).get(about('runtime', 'up'))).toBe(1);
  });

  test('that fails is served from its last snapshot, and its failure is exposed', () => {
    const { set } = open();
    let answer = (): Collected => [gauge('threads', 4)];
    set.add({ name: 'runtime', collector: { collect: () => answer() }, interval: 'scrape' });
    set.gather();
    answer = fails(new Error('broken'));
    const samples = scrape(set.gather());
    expect(samples.get('threads')).toBe(4);
    expect(samples.get(about('runtime', 'up'))).toBe(0);
    expect(samples.get(about('runtime', 'errors_total', { class: 'failed' }))).toBe(1);
  });

  test('comes before scheduled sources', async () => {
    const { set } = open();
    set.add(source('sql', () => [gauge('threads', 1)]));
    set.add({ name: 'runtime', collector: { collect: () => [gauge('threads', 4)] }, interval: 'scrape' });
    await set.read('sql');
    const samples = scrape(set.gather());
    expect(samples.get('threads')).toBe(4);
    expect([samples.get(about('runtime', 'up')), samples.get(about('sql', 'up'))]).toEqual([1, 0]);
    await expect(set.read('sql')).rejects.toMatchObject({ errorClass: 'invalid' });
  });
});

describe('a single source', () => {
  test('can be read and served without a schedule', async () => {
    const { set } = open();
    set.add(source('site', async () => [gauge('users', 7)]));
    set.add(source('other', never));
    await set.read('site');
    expect(set.families('site').map(({ name }) => name)).toEqual(['users']);
  });

  test('that is being read is not read concurrently', async () => {
    const { set } = open();
    let reads = 0;
    const collect = async (): Promise<Collected> => {
      reads++;
      await pause(20);
      throw new SourceError('denied', 'the password is wrong');
    };
    set.add({ ...source('site', collect), deadlineMs: 60_000 });
    const ends = await Promise.allSettled([set.read('site'), set.read('site')]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([reads, set.status()[0]!.errors.denied]).toEqual([1, 1]);
  });

  test('that is not configured is rejected with not_found', async () => {
    const { set } = open();
    set.add(source('site', () => []));
    const missing = { code: 'not_found', message: 'expected the name of a source (site), got "sites"' };
    await expect(set.read('sites')).rejects.toMatchObject(missing);
    expect(() => set.families('sites')).toThrow(expect.objectContaining(missing));
  });
});

describe('a set rejects', () => {
  test('two sources with one name', () => {
    const { set } = open();
    set.add({ name: 'runtime', collector: { collect: () => [] }, interval: 'scrape' });
    expect(() => set.add(source('runtime', () => []))).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining('got "runtime" twice') }),
    );
  });

  test.each([0, -1, NaN, Infinity, 2 ** 31])(
    'an interval of %d ms, which is out of range for a timer',
    (intervalMs) => {
      expect(() => open().set.add(source('site', () => [], intervalMs))).toThrow(
        /^BUG: expected 1 to .* ms for the source site/,
      );
    },
  );

  test('a source after the start, and a second start', () => {
    const { set } = open();
    set.start();
    expect(() => set.add(source('late', () => []))).toThrow('BUG: the source late was added after the start');
    expect(() => set.start()).toThrow('BUG: the collectors were started twice');
  });
});

describe('close', () => {
  test('stops the schedules, aborts reads in flight and closes every collector, without counting failures', async () => {
    const { set, lines } = open();
    const closed: string[] = [];
    let reads = 0;
    let aborted = false;
    const close = (name: string) => () => void closed.push(name);
    set.add({ name: 'fast', collector: { collect: () => (reads++, []), close: close('fast') }, intervalMs: 5 });
    set.add({
      name: 'slow',
      collector: {
        collect: (signal) => {
          signal.addEventListener('abort', () => (aborted = true));
          return never();
        },
        close: close('slow'),
      },
      intervalMs: 5,
    });
    set.add({ name: 'runtime', collector: { collect: () => [], close: close('runtime') }, interval: 'scrape' });
    set.start();
    await vi.waitFor(() => expect(reads).toBeGreaterThan(1), patience);
    await Promise.all([set.close(), set.close()]);
    const readsAtTheEnd = reads;
    await pause(40);
    expect([reads, aborted]).toEqual([readsAtTheEnd, true]);
    expect(closed.toSorted()).toEqual(['fast', 'runtime', 'slow']);
    expect(set.status().find(({ name }) => name === 'slow')).toMatchObject({ errors: { failed: 0, timeout: 0 } });
    expect(lines).toEqual([]);
  });

  test('has a deadline, and ignores a collector that fails to close', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { set, lines } = open();
    const hangs = () => new Promise<void>(() => undefined);
    set.add({ name: 'hangs', collector: { collect: () => [], close: hangs }, intervalMs: 1_000 });
    set.add({ name: 'fails', collector: { collect: () => [], close: fails(new Error('stuck')) }, intervalMs: 1_000 });
    const closing = set.close();
    await vi.advanceTimersByTimeAsync(limits.sourceCloseMsMax);
    await closing;
    expect(lines).toEqual([
      'warn: closing a source failed {"source":"fails","error":"stuck"}',
      `warn: a source did not close in time {"source":"hangs","waitedMs":${limits.sourceCloseMsMax}}`,
    ]);
  });
});

test('the families about sources follow the naming rules, and are exposed without any source', () => {
  const { set } = open();
  expect(lint(set.gather().filter(({ name }) => name.startsWith('tonnage_source_')))).toEqual([]);
  expect(scrape(set.gather()).size).toBeGreaterThan(0);
  set.add(source('site', () => [{ ...gauge('users'), points: [{ labels: noLabels, value: 1 }] }]));
  expect(lint(set.gather())).toEqual([]);
});
