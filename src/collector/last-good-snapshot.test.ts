import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../base/index.ts';
import type { CollectorSet } from './collector-set.ts';
import type { Collected } from './contract.ts';
import { SourceError } from './source-error.ts';
import { about, fails, gauge, newSet, scrape, source, StoppedClock } from './testing/sources.ts';

const opened: CollectorSet[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((set) => set.close()));
});

function open(clock: Clock = systemClock) {
  const parts = newSet(clock);
  opened.push(parts.set);
  return parts;
}

describe('the last good snapshot', () => {
  test('stays while reads fail, with the time of the last success, until the next success', async () => {
    const clock = new StoppedClock();
    const { set, lines } = open(clock);
    let answer: () => Collected = () => [gauge('users', 7), gauge('groups', 3)];
    set.add(source('site', () => answer()));
    await set.read('site');
    const succeeded = clock.now() / 1000;

    answer = fails(new SourceError('unreachable', 'expected a file at site.json, there is none'));
    clock.move(60_000);
    for (const _ of [1, 2, 3]) await expect(set.read('site')).rejects.toMatchObject({ errorClass: 'unreachable' });
    let samples = scrape(set.gather());
    expect([samples.get('users'), samples.get('groups')]).toEqual([7, 3]);
    expect(samples.get(about('site', 'up'))).toBe(0);
    expect(samples.get(about('site', 'last_success_timestamp_seconds'))).toBe(succeeded);
    expect(samples.get(about('site', 'errors_total', { class: 'unreachable' }))).toBe(3);

    answer = () => [gauge('users', 8)];
    await set.read('site');
    samples = scrape(set.gather());
    expect([samples.get('users'), samples.has('groups')]).toEqual([8, false]);
    expect(samples.get(about('site', 'up'))).toBe(1);
    expect(samples.get(about('site', 'last_success_timestamp_seconds'))).toBe(succeeded + 60);
    // The last failure stays in the status.
    expect(set.status()[0]).toMatchObject({ up: true, lastError: { class: 'unreachable', time: succeeded + 60 } });
    // A repeated failure is logged once.
    expect(lines.map((line) => line.split(' {')[0])).toEqual([
      'warn: reading a source failed',
      'info: a source is readable again',
    ]);
  });

  test('stays while reads fail with messages that differ: failures of one kind are logged once', async () => {
    const { set, lines } = open();
    let port = 50_000;
    const refused = () => new SourceError('unreachable', `the port ${port++} was refused`, { kind: 'port refused' });
    let error = refused;
    set.add(source('site', async () => Promise.reject(error())));
    const readThrice = async () => {
      for (const _ of [1, 2, 3]) await expect(set.read('site')).rejects.toMatchObject({ code: 'source_failed' });
    };
    await readThrice();
    error = () => new SourceError('unreachable', 'the database is starting up');
    await readThrice();
    expect(lines).toEqual([
      expect.stringContaining('the port 50000 was refused'),
      expect.stringContaining('the database is starting up'),
    ]);
    expect(set.status()[0]!.errors.unreachable).toBe(6);
  });

  test.each([
    ['for ever, unless told', undefined, 366 * 86_400_000, true],
    ['up to the age that it may have', 30_000, 30_000, true],
    ['no longer', 30_000, 30_001, false],
  ])('is served %s', async (_, keepMs, age, served) => {
    const clock = new StoppedClock();
    const { set } = open(clock);
    set.add({ ...source('site', () => [gauge('users')]), ...(keepMs !== undefined && { keepMs }) });
    await set.read('site');
    clock.move(age);
    const samples = scrape(set.gather());
    expect(samples.has('users')).toBe(served);
    expect(samples.has(about('site', 'last_success_timestamp_seconds'))).toBe(true);
  });

  test('is absent before the first read, after the maximum age, and back after the next read', async () => {
    const clock = new StoppedClock();
    const { set } = open(clock);
    set.add({ ...source('site', () => [gauge('users', 7), gauge('groups', 3)]), keepMs: 30_000 });
    set.add(source('other', () => [gauge('projects', 1)]));
    await set.read('other');
    const names = () => set.gather().flatMap(({ name }) => (name.startsWith('tonnage_') ? [] : [name]));
    expect(names()).toEqual(['projects']);
    await set.read('site');
    expect(names()).toEqual(['users', 'groups', 'projects']);
    clock.move(30_001);
    expect(names()).toEqual(['projects']);
    expect(set.status()[0]).toMatchObject({ up: true, series: 0, ageSeconds: 30.001 });
    await set.read('site');
    expect(names()).toEqual(['users', 'groups', 'projects']);
  });

  test('is dropped if the process itself uses one of its names', async () => {
    const { set, metrics } = open();
    set.add(source('site', () => [gauge('users', 7)]));
    await set.read('site');
    metrics.collect(() => [gauge('users', 1)]);
    const samples = scrape(set.gather());
    expect(samples.get('users')).toBe(1);
    expect(samples.get(about('site', 'up'))).toBe(0);
    expect(scrape(set.gather()).get(about('site', 'errors_total', { class: 'invalid' }))).toBe(1);
  });
});
