import { afterEach, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../base/index.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import type { ClaimRequest, SharedClaims, Store } from '../../store/index.ts';
import { untilAgreed } from '../testing/redis-store.ts';
import { openShared } from './testing/instance.ts';
import { outcome, voidCell } from '../../usage/index.ts';

const dayMs = 86_400_000;
const day = 20_000;

const redis = suiteRedis();
const open = new Set<Store>();

afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
  await redis.server.cli('flushall');
});

/** All claims of a test have the same day, even if the test runs at midnight. */
const began = systemClock.now();
const stopped: Clock = { ...systemClock, now: () => began };

/** A new ledger and its claims. */
async function instance(clock = stopped): Promise<SharedClaims> {
  const store = await openShared(redis.server.url, redis.newPath(), { clock });
  open.add(store);
  const { shared } = store;
  if (!shared) throw new Error('the store has no claims');
  await untilAgreed(store);
  return shared;
}

type Claim = { readonly id: number; readonly run?: number } & (
  { readonly quantity: number; readonly org?: string } | { readonly voids: number }
);

function hex(id: number): string {
  return id.toString(16).padStart(32, '0');
}

function request(claims: readonly Claim[], run = 1): ClaimRequest {
  const cells: ClaimRequest['cells'][number][] = [];
  return {
    runs: [run],
    keys: claims.map(({ id }) => hex(id)),
    places: claims.map((claim, position) => `${claim.run ?? run}.${position}`),
    cellOf: claims.map((claim) =>
      'voids' in claim
        ? voidCell
        : cells.push({ meter: 'pulls', day, dimensions: { org: claim.org ?? 'a.org', repository: 'x' } }) - 1,
    ),
    quantities: claims.map((claim) => ('voids' in claim ? 1 : claim.quantity)),
    cells,
    targets: claims.flatMap((claim) => ('voids' in claim ? [{ key: hex(claim.voids) }] : [])),
  };
}

const { accepted, duplicate, voided, notVoidable } = outcome;

test('the first claim of an event wins, and a repeated claim gets the same answer', async () => {
  const [one, two] = [await instance(), await instance()];
  const mine = request([
    { id: 1, quantity: 1 },
    { id: 2, quantity: 5 },
  ]);
  for (let time = 0; time < 3; time++) expect([...(await one.claim(mine)).verdicts]).toEqual([accepted, accepted]);
  expect([...(await two.claim(mine)).verdicts]).toEqual([duplicate, duplicate]);
  expect([...(await two.claim(request([{ id: 3, quantity: 1 }], 2))).verdicts]).toEqual([accepted]);
});

test('a ledger that lost an event claims it again, even in a later period, and a void takes back the new count', async () => {
  let now = began;
  const clock = { ...systemClock, now: () => now };
  const [one, two] = [await instance(clock), await instance(clock)];
  await one.claim(request([{ id: 1, quantity: 2 }]));
  now += 8 * dayMs;
  const repeated = request([{ id: 1, quantity: 3, org: 'b.org' }], 2);
  for (let time = 0; time < 2; time++) expect([...(await one.claim(repeated)).verdicts]).toEqual([accepted]);
  expect([...(await two.claim(repeated)).verdicts]).toEqual([duplicate]);
  const { takenBack } = await two.claim(request([{ id: 10, voids: 1 }], 3));
  expect(takenBack).toEqual([{ meter: 'pulls', day, dimensions: { org: 'b.org', repository: 'x' }, quantity: -3n }]);
  // A voided event no longer counts.
  expect([...(await one.claim(request([{ id: 1, quantity: 3 }], 4))).verdicts]).toEqual([voided]);
});

test('a void takes back the count of another instance once, however often it is claimed', async () => {
  const [one, two] = [await instance(), await instance()];
  await one.claim(
    request([
      { id: 1, quantity: 9_007_199_254_740_991, org: 'b.org' },
      { id: 2, quantity: 5 },
    ]),
  );
  const back = request([{ id: 10, voids: 1 }]);
  for (let time = 0; time < 3; time++) {
    const { verdicts, takenBack } = await two.claim(back);
    expect([...verdicts]).toEqual([accepted]);
    expect(takenBack).toEqual([
      { meter: 'pulls', day, dimensions: { org: 'b.org', repository: 'x' }, quantity: -9_007_199_254_740_991n },
    ]);
  }
  const late = await one.claim(request([{ id: 11, voids: 1 }], 2));
  expect([[...late.verdicts], late.takenBack]).toEqual([[duplicate], []]);
  const same = await one.claim(request([{ id: 10, voids: 1 }], 3));
  expect([[...same.verdicts], same.takenBack]).toEqual([[duplicate], []]);
  // A repeated claim still counts at the instance that counted the event: the void is an increment of its own.
  const again = await one.claim(request([{ id: 1, quantity: 9_007_199_254_740_991, org: 'b.org' }]));
  expect([...again.verdicts]).toEqual([accepted]);
});

test('a void that arrives before its target makes the target count nothing, at every instance', async () => {
  const [one, two] = [await instance(), await instance()];
  const early = request([{ id: 10, voids: 1 }]);
  for (let time = 0; time < 2; time++) {
    const { verdicts, takenBack } = await one.claim(early);
    expect([[...verdicts], takenBack]).toEqual([[accepted], []]);
  }
  const event = request([{ id: 1, quantity: 1 }]);
  for (let time = 0; time < 2; time++) expect([...(await two.claim(event)).verdicts]).toEqual([voided]);
  expect([...(await two.claim(request([{ id: 11, voids: 1 }], 2))).verdicts]).toEqual([duplicate]);
  expect([...(await two.claim(request([{ id: 12, voids: 10 }], 3))).verdicts]).toEqual([notVoidable]);
});

test('an event and its void in one request add and take back the same', async () => {
  const one = await instance();
  const both = request([
    { id: 1, quantity: 3 },
    { id: 10, voids: 1 },
    { id: 11, voids: 1 },
  ]);
  for (let time = 0; time < 2; time++) {
    const { verdicts, takenBack } = await one.claim(both);
    expect([...verdicts]).toEqual([accepted, accepted, duplicate]);
    expect(takenBack.map(({ quantity }) => quantity)).toEqual([-3n]);
  }
});

test('claims thousands of events of a few cells at a time', async () => {
  const [one, two] = [await instance(), await instance()];
  const many = request(Array.from({ length: 9_000 }, (_, id) => ({ id, quantity: 1, org: `org${id % 3}.example` })));
  expect((await one.claim(many)).verdicts.every((verdict) => verdict === accepted)).toBe(true);
  expect((await two.claim(many)).verdicts.every((verdict) => verdict === duplicate)).toBe(true);
  const first = (await redis.server.cli('smembers', '{metrics/v1}:seen')).trim();
  expect(await redis.server.cli('hlen', `{metrics/v1}:seen:${first}:cells`)).toContain('6');
});

test('claims expire one week after the window', async () => {
  let now = systemClock.now();
  const clock = { ...systemClock, now: () => now };
  const [one, two] = [await instance(clock), await instance(clock)];
  await one.claim(request([{ id: 1, quantity: 1 }]));
  now += (35 + 7) * dayMs;
  await two.forget();
  expect([...(await two.claim(request([{ id: 1, quantity: 1 }]))).verdicts]).toEqual([duplicate]);
  const back = await two.claim(request([{ id: 2, voids: 1 }], 2));
  expect(back.takenBack.map(({ quantity }) => quantity)).toEqual([-1n]);
  now += 7 * dayMs;
  await one.forget();
  await two.forget();
  expect((await redis.server.cli('keys', '{metrics/v1}:seen:2*')).trim().split('\n')).toHaveLength(1);
  expect([...(await two.claim(request([{ id: 1, quantity: 1 }], 3))).verdicts]).toEqual([accepted]);
});

test('rejects a key of the wrong type, and a Redis that may evict keys', async () => {
  const one = await instance();
  await redis.server.cli('set', '{metrics/v1}:seen', 'x');
  await expect(one.claim(request([{ id: 1, quantity: 1 }]))).rejects.toMatchObject({ code: 'store_invalid' });
  await redis.server.cli('del', '{metrics/v1}:seen');
  await redis.server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
  await expect(one.agree()).rejects.toMatchObject({ code: 'store_evicts' });
  await redis.server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
  expect([...(await one.claim(request([{ id: 1, quantity: 1 }]))).verdicts]).toEqual([accepted]);
});
