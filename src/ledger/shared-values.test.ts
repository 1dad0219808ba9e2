import { afterEach, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { limits } from '../base/index.ts';
import { openTestRedisStore, silent as log, untilAgreed } from '../redis-totals/testing/redis-store.ts';
import type { Store } from '../store/index.ts';
import { Caps } from './caps.ts';
import { SharedValues } from './shared-values.ts';

const day = 20_778;
const cap = limits.architecturesPerDayMax;

const redis = suiteRedis();
const open = new Set<Store>();

afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
});

interface Side {
  readonly caps: Caps;
  readonly values: SharedValues;
}

/** The caps of one instance, which shares new values on request. */
async function side(): Promise<Side> {
  const store = await openTestRedisStore(redis.server.url, redis.newPath(), { shared: true });
  open.add(store);
  const { shared } = store;
  if (!shared) throw new Error('the store shares nothing');
  await untilAgreed(store);
  const caps = new Caps();
  caps.collectNewValues();
  return { caps, values: new SharedValues({ caps, shared, log }) };
}

/** The architecture under which the ledger counts this one. */
function kept({ caps }: Side, arch: string, org = 'a.org'): string | undefined {
  return caps.keep({ day, org, isStated: false }, { org, arch }, () => {}).arch;
}

/** How many architectures all instances and organisations have together. */
async function sharedArchitectures(): Promise<number> {
  const keys = (await redis.server.cli('keys', '{metrics/v1}:values:2026-11-21:arch:*')).trim().split('\n');
  const counts = await Promise.all(keys.filter(Boolean).map((key) => redis.server.cli('scard', key)));
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

test('two instances share one cap, and the first values of both', async () => {
  const [one, two] = [await side(), await side()];
  for (let index = 0; index < cap - 10; index++) kept(one, `one${index}`);
  await one.values.share();
  for (let index = 0; index < 10; index++) kept(two, `two${index}`);
  expect(kept(two, 'more')).toBe('more');
  await two.values.share();
  expect([kept(two, 'late'), kept(two, 'one3'), kept(two, 'two3')]).toEqual(['__other__', 'one3', 'two3']);
  // The first instance has not shared since, so until it does its new values exceed the cap.
  expect(kept(one, 'beyond')).toBe('beyond');
  await one.values.share();
  expect([kept(one, 'late'), kept(one, 'two3'), kept(one, 'beyond')]).toEqual(['__other__', 'two3', 'beyond']);
  const keys = await redis.server.cli('keys', '{metrics/v1}:values:2026-11-21:*');
  expect(keys).toMatch(/^\{metrics\/v1\}:values:2026-11-21:(arch|org):[0-9a-f]{16}$/m);
  expect(keys).not.toContain('a.org');
  for (const key of keys.trim().split('\n')) expect(await redis.server.cli('smembers', key)).not.toContain('one');
});

test('what one organisation uses up at one instance does not limit another organisation elsewhere', async () => {
  await redis.server.cli('flushall');
  const [one, two] = [await side(), await side()];
  for (let index = 0; index < cap; index++) kept(one, `flood${index}`, 'flood.org');
  await one.values.share();
  kept(two, 'first', 'flood.org');
  await two.values.share();
  expect([kept(two, 'more', 'flood.org'), kept(two, 'flood3', 'flood.org')]).toEqual(['__other__', 'flood3']);
  expect([kept(two, 'mine', 'b.org'), kept(two, 'amd64', 'flood.org')]).toEqual(['mine', 'amd64']);
  await two.values.share();
  expect([kept(one, 'mine', 'b.org'), kept(one, 'late', 'b.org')]).toEqual(['mine', 'late']);
});

test('values that are new during an outage of Redis are shared after it', async () => {
  await redis.server.cli('flushall');
  const one = await side();
  one.caps.remember(day, new Map([['arch', [{ value: 'held', org: 'a.org', own: true, stated: false }]]]));
  kept(one, 'before');
  await redis.server.stop();
  await one.values.share();
  kept(one, 'meanwhile');
  await redis.server.restart();
  await eventually('all is shared', async () => {
    await one.values.share();
    return (await sharedArchitectures()) === 3;
  });
  expect(one.caps.takeNewValues()).toEqual([]);
});
