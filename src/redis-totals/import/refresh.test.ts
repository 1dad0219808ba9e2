import { beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../base/index.ts';
import { parseDay, type Increment, type UsageQuery } from '../../usage/index.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { eventually } from '../../../test/support/redis.ts';
import { foreignDaysKey, importKey, waveHash } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { createRedisTotals } from '../read/index.ts';
import { fill, waveCommands } from '../read/testing/fill.ts';
import { silent as log } from '../testing/redis-store.ts';
import { WaveRefresh } from './refresh.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;
const today = day('2026-11-21');
const byOrg = {
  meter: 'pulls',
  window: 'total',
  by: ['org'],
  where: {},
  limit: 10_000,
  offset: 0,
} satisfies UsageQuery;

const redis = suiteRedis();
let link: RedisLink;
beforeEach(async () => void ({ link } = await redis.freshLink()));

const ofWave = (date: string, org: string): Increment => ({
  meter: 'pulls',
  day: day(date),
  quantity: 1n,
  dimensions: { org },
});
/** The functions of the link, so that a test can override some of them. */
const linkParts = (): Pick<RedisLink, 'send' | 'pipeline' | 'script'> => ({
  send: (command) => link.send(command),
  pipeline: (commands) => link.pipeline(commands),
  script: (script, keys, args) => link.script(script, keys, args),
});
const isForeign = (date: string) => link.send({ args: ['SISMEMBER', foreignDaysKey('pulls'), date] });

test('a scan finds new organisations and foreign days, and sets indexedAt', async () => {
  let now = 1_000;
  const refresh = new WaveRefresh({ link, clock: { ...systemClock, now: () => now }, log });
  const totals = createRedisTotals({ link, clock: systemClock, besideWave: true });
  await fill(link, [{ ...ofWave('2026-11-20', 'a.org'), by: 'one', quantity: 4n }]);
  await refresh.refresh();
  expect(await isForeign('2026-11-20')).toBe(0);
  expect(await totals.query(byOrg, today)).toMatchObject({ total: 4n, indexedAt: 1_000 });

  await link.pipeline([ofWave('2026-11-20', 'b.org'), ofWave('2026-11-21', 'c.org')].flatMap(waveCommands));
  // The current day is read at once, but the index lacks its new organisation.
  expect((await totals.query({ ...byOrg, from: today }, today)).rows).toEqual([
    { dimensions: { org: null }, value: 1n },
  ]);
  now = 2_000;
  await refresh.refresh();
  expect(await isForeign('2026-11-20')).toBe(1);
  expect(await totals.query(byOrg, today)).toMatchObject({
    rows: [
      { dimensions: { org: 'a.org' }, value: 4n },
      { dimensions: { org: 'b.org' }, value: 1n },
      { dimensions: { org: 'c.org' }, value: 1n },
    ],
    indexedAt: 2_000,
  });
  await refresh.close();
});

test('a scan keeps to the configured rate', async () => {
  const fields = Array.from({ length: 3_000 }, (_, index) => [`pulls/o/org${index}.com`, '1']).flat();
  await link.send({ args: ['HSET', waveHash, ...fields] });
  const refresh = new WaveRefresh({ link, clock: systemClock, log, fieldsPerSecond: 10_000 });
  const start = systemClock.monotonic();
  await refresh.refresh();
  expect(systemClock.monotonic() - start).toBeGreaterThan(280);
  await refresh.close();
});

test('scans repeat until close, which aborts a scan', async () => {
  await link.pipeline(waveCommands(ofWave('2026-11-20', 'a.org')));
  const refresh = new WaveRefresh({ link, clock: systemClock, log, fieldsPerSecond: 10_000 });
  refresh.start();
  await eventually(
    'a round has ended',
    async () => (await link.send({ args: ['HEXISTS', importKey, 'indexedAt'] })) === 1,
  );
  await refresh.close();
  const slow = new WaveRefresh({ link, clock: systemClock, log, fieldsPerSecond: 0.001 });
  slow.start();
  await slow.close();
});

test('a scan that begins before the link is connected is retried soon, without a warning', async () => {
  const warnings: unknown[] = [];
  let isUp = false;
  const refresh = new WaveRefresh({
    link: {
      ...linkParts(),
      send: (command) => {
        if (isUp) return link.send(command);
        isUp = true;
        return Promise.reject(new Error('not connected yet'));
      },
    },
    clock: systemClock,
    log: { ...log, warn: (fields) => void warnings.push(fields) },
  });
  refresh.start();
  await eventually(
    'a round has ended',
    async () => (await link.send({ args: ['HEXISTS', importKey, 'indexedAt'] })) === 1,
  );
  await refresh.close();
  expect(warnings).toEqual([]);
});

test('a failed scan is logged and retried', async () => {
  const warnings: unknown[] = [];
  const refresh = new WaveRefresh({
    link: { ...linkParts(), send: () => Promise.reject(new Error('away')) },
    clock: systemClock,
    log: { ...log, warn: (fields) => void warnings.push(fields) },
  });
  refresh.start();
  await eventually('a warning', () => warnings.length > 0);
  expect(warnings).toEqual([{ error: 'away' }]);
  await refresh.close();
});
