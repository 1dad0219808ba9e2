import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CollectorSet } from './collector-set.ts';
import type { Collected, Collector, ScheduledSource } from './contract.ts';
import { SourceError } from './source-error.ts';
import { about, gauge, newSet, scrape, StoppedClock } from './testing/sources.ts';

const path = '/api/1.0/open-metrics/';
const opened: CollectorSet[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((set) => set.close()));
});

function open() {
  const clock = new StoppedClock();
  const parts = newSet(clock);
  opened.push(parts.set);
  return { ...parts, clock };
}

const source = (name: string, collect: Collector['collect'], options: Partial<ScheduledSource> = {}) => ({
  name,
  collector: { collect },
  intervalMs: 60_000,
  page: path,
  ...options,
});
const never = () => new Promise<Collected>(() => undefined);

describe('the families of a source with a page', () => {
  test('are on its page only, and its status is on /metrics', async () => {
    const { set } = open();
    set.add(source('farm', () => [gauge('workers', 7)]));
    set.add(source('other', () => [gauge('workers', 8)], { page: `${path}other/` }));
    set.add({ name: 'site', collector: { collect: () => [gauge('workers', 9)] }, intervalMs: 60_000 });
    for (const name of ['farm', 'other', 'site']) await set.read(name);
    expect(scrape(set.page(path)!.families)).toEqual(new Map([['workers', 7]]));
    expect(scrape(set.page(`${path}other/`)!.families)).toEqual(new Map([['workers', 8]]));
    const metrics = scrape(set.gather());
    expect([metrics.get('workers'), metrics.get(about('farm', 'up'))]).toEqual([9, 1]);
    expect(set.page('/metrics')).toBeUndefined();
    expect(set.page(path.slice(0, -1))).toBeUndefined();
  });

  test('may have the names of this process', async () => {
    const { set, metrics } = open();
    metrics.counter({ name: 'jobs', help: 'Of a test.' });
    set.add(source('farm', () => [gauge('jobs', 7)]));
    await set.read('farm');
    expect(scrape(set.page(path)!.families).get('jobs')).toBe(7);
  });

  test('clash with those of another source of the page', async () => {
    const { set } = open();
    set.add(source('farm', () => [gauge('workers', 7)]));
    set.add(source('farm:more', () => [gauge('workers', 8)]));
    await set.read('farm');
    await expect(set.read('farm:more')).rejects.toMatchObject({ errorClass: 'invalid' });
    expect(scrape(set.page(path)!.families)).toEqual(new Map([['workers', 7]]));
  });
});

describe('a page', () => {
  test('says why it has no snapshot, and which source failed', async () => {
    const { set } = open();
    set.add(source('farm', never));
    set.add(
      source('farm:more', () => {
        throw new SourceError('unreachable', 'expected a database at db.example.org, got no connection');
      }),
    );
    expect(set.page(path)).toMatchObject({ families: [], missing: { source: 'farm' } });
    expect(set.page(path)).not.toHaveProperty('taken');
    await expect(set.read('farm:more')).rejects.toThrow('no connection');
    const failure = { class: 'unreachable', message: 'expected a database at db.example.org, got no connection' };
    expect(set.page(path)!.missing).toEqual({ source: 'farm:more', failure });
  });

  test('has no data while only an extra has a snapshot, and never names the extra as the reason', async () => {
    const { set } = open();
    let answer = (): Collected => {
      throw new SourceError('unreachable', 'no server');
    };
    set.add(source('farm', () => answer()));
    set.add(source('farm:more', () => [gauge('files', 8)], { isExtra: true }));
    await set.read('farm:more');
    expect(set.page(path)!.missing).toEqual({ source: 'farm' });
    await expect(set.read('farm')).rejects.toThrow('no server');
    expect(set.page(path)!.missing).toMatchObject({ source: 'farm', failure: { class: 'unreachable' } });
    answer = () => [gauge('workers', 7)];
    await set.read('farm');
    expect(set.page(path)!.missing).toBeUndefined();
    expect(scrape(set.page(path)!.families)).toEqual(
      new Map([
        ['workers', 7],
        ['files', 8],
      ]),
    );
  });

  test('has the oldest and the newest snapshot, and says which is overdue', async () => {
    const { set, clock } = open();
    set.add(source('farm', () => [gauge('workers')], { intervalMs: 30_000 }));
    set.add(source('farm:more', () => [gauge('files')], { intervalMs: 3_600_000 }));
    const begun = clock.now();
    await set.read('farm:more');
    clock.move(40_000);
    await set.read('farm');
    expect(set.page(path)).toMatchObject({ taken: { oldest: begun, newest: begun + 40_000 }, intervalMs: 30_000 });
    clock.move(30_000);
    expect(set.page(path)).not.toHaveProperty('staleMs');
    clock.move(1);
    expect(set.page(path)).toMatchObject({ staleMs: 30_001 });
    expect(set.page(path)).not.toHaveProperty('missing');
  });

  test('has a new revision with each new snapshot, and keeps its families in between', async () => {
    const { set, clock } = open();
    set.add(source('farm', () => [gauge('workers')], { keepMs: 60_000 }));
    const page = () => set.page(path)!;
    const empty = page().revision;
    await set.read('farm');
    const first = page();
    expect(first.revision).not.toBe(empty);
    expect([page().revision, page().families]).toEqual([first.revision, first.families]);
    expect(page().families).toBe(first.families);
    await set.read('farm');
    const second = page();
    expect(second.revision).not.toBe(first.revision);
    clock.move(60_001);
    expect(page()).toMatchObject({ families: [], missing: { source: 'farm' } });
    expect([first.revision, second.revision]).not.toContain(page().revision);
  });

  test('says when the next read is due', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { set, clock } = open();
    set.add(source('farm', () => [gauge('workers')], { intervalMs: 30_000 }));
    expect(set.page(path)!.nextReadMs).toBe(0);
    set.start();
    await vi.waitFor(() => expect(set.page(path)!.nextReadMs).toBe(30_000));
    clock.move(12_000);
    expect(set.page(path)!.nextReadMs).toBe(18_000);
    clock.move(20_000);
    expect(set.page(path)!.nextReadMs).toBe(0);
    vi.useRealTimers();
  });
});
