import { afterEach, expect, test } from 'vitest';
import type { Clock, Log } from '../../base/index.ts';
import { CollectorSet } from '../../collector/index.ts';
import { MetricSet, noLabels, type MetricFamily } from '../../metric/index.ts';
import { fixtureTime, openApiFixture, unboundAdmin, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture;
afterEach(() => fixture.close());

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const families: readonly MetricFamily[] = [
  { type: 'gauge', name: 'workers', points: [{ labels: noLabels, value: 4 }] },
  { type: 'histogram', name: 'activity', points: [{ labels: noLabels, bounds: [1], counts: [1, 2], sum: 3 }] },
];

/** Sources over a clock that a test moves. */
function openSources() {
  let elapsedMs = 0;
  const clock: Clock = { now: () => fixtureTime + elapsedMs, monotonic: () => elapsedMs };
  const set = new CollectorSet({ metrics: new MetricSet(), clock, log: silent });
  return { set, move: (ms: number) => void (elapsedMs += ms) };
}

test('lists the state of each source, before its first read, after a success and after a failure', async () => {
  const { set, move } = openSources();
  let broken = false;
  const collect = () => {
    move(250);
    if (broken) throw new Error('no such table: db_worker');
    return { families, dataTimestamp: fixtureTime / 1000 - 60 };
  };
  const page = '/api/1.0/open-metrics/';
  set.add({ name: 'runtime', driver: 'runtime', collector: { collect: () => families }, interval: 'scrape' });
  set.add({ name: 'farm', driver: 'debusine', collector: { collect }, intervalMs: 30_000, page });
  fixture = await openApiFixture({ sources: () => set.status() });
  const sources = async () => {
    const { statusCode, headers, body } = await fixture.app.inject('/api/v1/sources');
    expect([statusCode, headers['cache-control']]).toEqual([200, 'no-store']);
    return (JSON.parse(body) as { sources: unknown[] }).sources;
  };
  expect(await sources()).toEqual([
    { name: 'runtime', driver: 'runtime', up: null, series: 0 },
    { name: 'farm', driver: 'debusine', page, up: null, series: 0 },
  ]);
  await set.read('farm');
  set.gather();
  move(10_000);
  const good = {
    name: 'farm',
    driver: 'debusine',
    page,
    up: true,
    ageSeconds: 10,
    lastSuccess: '2026-11-21T12:00:00.250Z',
    dataTime: '2026-11-21T11:59:00.000Z',
    durationSeconds: 0.25,
    series: 5,
  };
  expect(await sources()).toEqual([
    {
      name: 'runtime',
      driver: 'runtime',
      up: true,
      ageSeconds: 10,
      lastSuccess: good.lastSuccess,
      durationSeconds: 0,
      series: 5,
    },
    good,
  ]);
  broken = true;
  await expect(set.read('farm')).rejects.toThrow('no such table');
  const lastError = { class: 'failed', message: 'no such table: db_worker', time: '2026-11-21T12:00:10.500Z' };
  expect((await sources())[1]).toEqual({ ...good, up: false, ageSeconds: 10.25, lastError });
  await set.close();
});

test('needs the right query', async () => {
  fixture = await openApiFixture({ principal: { ...unboundAdmin, rights: new Set(['pull', 'ingest', 'admin']) } });
  expect((await fixture.app.inject('/api/v1/sources')).statusCode).toBe(403);
  const anonymous = { url: '/api/v1/sources', headers: { 'x-no-credentials': '1' } };
  expect((await fixture.app.inject(anonymous)).statusCode).toBe(401);
  await fixture.close();
  fixture = await openApiFixture({ principal: { ...unboundAdmin, rights: new Set(['query']) } });
  expect((await fixture.app.inject('/api/v1/sources')).json()).toEqual({ sources: [] });
});
