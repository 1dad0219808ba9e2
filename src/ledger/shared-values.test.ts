import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { limits } from '../base/index.ts';
import { openTestRedisStore, silent as log, untilAgreed } from '../store/testing/redis-store.ts';
import type { Store } from '../store/index.ts';
import { Caps } from './caps.ts';
import { SharedValues } from './shared-values.ts';

const day = 20_778;
const cap = limits.architecturesPerDayMax;

const redis = suiteRedis();
let next = 0;
const open = new Set<Store>();

afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
});

interface Side {
  readonly caps: Caps;
  readonly values: SharedValues;
}

/** The caps of one instance, which shares what is new when it is told to. */
async function side(): Promise<Side> {
  const file = join(redis.directory, `ledger-${++next}.sqlite`);
  const store = await openTestRedisStore(redis.server.url, file, { shared: true });
  open.add(store);
  const { shared } = store;
  if (!shared) throw new Error('the store shares nothing');
  await untilAgreed(store);
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
  expect(await redis.server.cli('smembers', '{metrics/v1}:values:2026-11-21:arch')).not.toContain('one');
});

test('what is new while Redis is away is shared when it is back', async () => {
  await redis.server.cli('flushall');
  const one = await side();
  one.caps.remember(day, new Map([['arch', ['held']]]));
  kept(one, 'before');
  await redis.server.stop();
  await one.values.share();
  kept(one, 'meanwhile');
  await redis.server.restart();
  await eventually('all is shared', async () => {
    await one.values.share();
    return (await redis.server.cli('scard', '{metrics/v1}:values:2026-11-21:arch')).trim() === '3';
  });
  expect(one.caps.takeNews()).toEqual([]);
});
