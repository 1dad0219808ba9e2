import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, startRedis, type RedisServer } from '../../test/support/redis.ts';
import { limits, systemClock, systemRandom, type Log } from '../base/index.ts';
import { openRedisStore } from '../store/drivers/redis.ts';
import type { Store } from '../store/index.ts';
import { Caps } from './caps.ts';
import { SharedValues } from './shared-values.ts';

const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const day = 20_778;
const cap = limits.architecturesPerDayMax;

let directory: string;
let server: RedisServer;
let next = 0;
const open = new Set<Store>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-shared-values-'));
  server = await startRedis(directory);
});
afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Side {
  readonly caps: Caps;
  readonly values: SharedValues;
}

/** The caps of one instance, which shares what is new when it is told to. */
async function side(): Promise<Side> {
  const store = await openRedisStore({
    file: join(directory, `ledger-${++next}.sqlite`),
    timeZone: 'UTC',
    acceptTimeZone: false,
    clock: systemClock,
    random: systemRandom,
    log,
    redis: { mode: 'standalone', url: server.url, clock: systemClock, log },
    detailDays: 400,
    allowEviction: false,
    minReplicas: 0,
    besideWave: false,
    shared: true,
  });
  open.add(store);
  const { shared } = store;
  if (!shared) throw new Error('the store shares nothing');
  await eventually('Redis answers', async () => (await shared.agree().catch(() => undefined)) !== undefined);
  const caps = new Caps();
  caps.collectNews();
  return { caps, values: new SharedValues({ caps, shared, secret: () => shared.secret, log }) };
}

/** The architecture that is counted for this one. */
function kept({ caps }: Side, arch: string): string | undefined {
  return caps.keep(day, { arch }, () => {}).arch;
}

test('two instances keep to one cap, and to the values that either of them had first', async () => {
  const [one, two] = [await side(), await side()];
  for (let index = 0; index < cap - 10; index++) kept(one, `one${index}`);
  await one.values.share();
  for (let index = 0; index < 10; index++) kept(two, `two${index}`);
  expect(kept(two, 'more')).toBe('more');
  await two.values.share();
  expect([kept(two, 'late'), kept(two, 'one3'), kept(two, 'two3')]).toEqual(['__other__', 'one3', 'two3']);
  // The first one has not asked since: what it lets in until it does goes beyond.
  expect(kept(one, 'beyond')).toBe('beyond');
  await one.values.share();
  expect([kept(one, 'late'), kept(one, 'two3'), kept(one, 'beyond')]).toEqual(['__other__', 'two3', 'beyond']);
  expect(await server.cli('smembers', '{metrics/v1}:values:2026-11-21:arch')).not.toContain('one');
});

test('what is new while Redis is away is shared when it is back', async () => {
  await server.cli('flushall');
  const one = await side();
  one.caps.remember(day, new Map([['arch', ['held']]]));
  kept(one, 'before');
  await server.stop();
  await one.values.share();
  kept(one, 'meanwhile');
  await server.restart();
  await eventually('all is shared', async () => {
    await one.values.share();
    return (await server.cli('scard', '{metrics/v1}:values:2026-11-21:arch')).trim() === '3';
  });
  expect(one.caps.takeNews()).toEqual([]);
});
