import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { answered } from '../../../test/support/redis-link.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { eventually, startRedis } from '../../../test/support/redis.ts';
import { outcome } from '../../usage/index.ts';
import type { KeyHash, Store } from '../../store/index.ts';
import { untilDelivering, type TestStoreOptions } from '../testing/redis-store.ts';
import { Instance, openShared, type Sent } from './testing/instance.ts';

const secretKey = '{metrics/v1}:hash-key';
const today = Math.floor(Date.now() / 86_400_000);

const redis = suiteRedis();
const open = new Set<{ close(): Promise<void> }>();

afterEach(async () => {
  for (const each of open) await each.close();
  open.clear();
  await redis.server.cli('flushall');
});

async function openAt(file: string, overrides: TestStoreOptions = {}): Promise<Store> {
  const store = await openShared(redis.server.url, file, overrides);
  open.add(store);
  await untilDelivering(store);
  return store;
}

/** A key hash as Redis keeps it. */
function textOf({ version, secret }: KeyHash): string {
  const hex = Buffer.from(secret).toString('hex');
  return version === 1 ? hex : `${version}:${hex}`;
}

/** The key hash of the instances, as Redis keeps it. Waits for the link for claims, which connects last. */
async function agree({ shared }: Store): Promise<string | undefined> {
  const agreed = await answered(async () => shared?.agree());
  return agreed && textOf(agreed);
}

async function closed(store: Store): Promise<void> {
  open.delete(store);
  await store.close();
}

function event(id: number): Sent {
  return { id, counts: { meter: 'pulls', day: today, dimensions: { org: 'a.org' }, quantity: 1 } };
}

async function instance(file: string, overrides: TestStoreOptions = {}): Promise<Instance> {
  const made = new Instance(redis.server.url, file, overrides);
  open.add(made);
  await made.open();
  return made;
}

test('all instances take the secret of the first one, and then know it without Redis', async () => {
  const [one, two] = [await openAt(redis.newPath()), await openAt(redis.newPath())];
  expect([one.shared?.keyHash, two.shared?.keyHash]).toEqual([undefined, undefined]);
  const agreed = await agree(one);
  expect(agreed).toBe(textOf(one.keyHash));
  expect(agreed).toMatch(/^2:/);
  expect(await agree(two)).toBe(agreed);
  const file = redis.newPath();
  const three = await openAt(file);
  await agree(three);
  await closed(three);
  const again = await openShared('redis://127.0.0.1:1', file);
  open.add(again);
  expect(again.shared?.keyHash && textOf(again.shared.keyHash)).toBe(agreed);
});

test('a ledger that did not share its events brings its secret, or waits until its keys have expired', async () => {
  const file = redis.newPath();
  const alone = await openAt(file, { shared: false });
  const keyed = { keys: new Uint8Array(16), targets: new Uint8Array(), cells: [], quantities: new Float64Array([1]) };
  const cells = [{ meter: 'pulls', day: today, dimensions: {} }];
  await alone.journal.commit({
    number: 1,
    at: 0,
    increments: [],
    keyed: { ...keyed, cells, cellOf: new Uint32Array([0]) },
  });
  await closed(alone);
  await redis.server.cli('set', secretKey, 'ab'.repeat(32));
  const joining = await openAt(file);
  await expect(agree(joining)).rejects.toMatchObject({ code: 'store_invalid' });
  expect(joining.shared?.keyHash).toBeUndefined();
  while (await joining.journal.tidy({ keys: Date.now(), details: today - 400 }));
  expect(await agree(joining)).toBe('ab'.repeat(32));
});

test('an emptied Redis gets the secret again, and another secret in it is rejected', async () => {
  const one = await openAt(redis.newPath());
  const agreed = await agree(one);
  await redis.server.cli('flushall');
  await agree(one);
  expect((await redis.server.cli('get', secretKey)).trim()).toBe(agreed);
  await redis.server.cli('set', secretKey, 'cd'.repeat(32));
  await expect(agree(one)).rejects.toMatchObject({ code: 'store_invalid' });
  await redis.server.cli('set', secretKey, 'no secret');
  await expect(agree(one)).rejects.toMatchObject({ code: 'store_invalid' });
});

test('a new instance adopts the key hash of instances with an earlier version, and keeps it', async () => {
  const earlier = 'ab'.repeat(32);
  await redis.server.cli('set', secretKey, earlier);
  const file = redis.newPath();
  const one = await openAt(file);
  expect(one.keyHash.version).toBe(2);
  expect(await agree(one)).toBe(earlier);
  await closed(one);
  const again = await openAt(file);
  expect(again.keyHash).toEqual({ version: 1, secret: new Uint8Array(32).fill(0xab) });
  await redis.server.cli('set', secretKey, `2:${earlier}`);
  await expect(agree(again)).rejects.toMatchObject({ code: 'store_invalid' });
});

test('a ledger with pending claims does not open with a configuration that would not claim them', async () => {
  const file = redis.newPath();
  const one = await instance(file);
  await one.send([event(1), event(2)]);
  await one.close();
  await expect(openShared(redis.server.url, file, { shared: false })).rejects.toMatchObject({ code: 'config_invalid' });
  await one.open();
  await one.finish();
  await one.close();
  const alone = await openAt(file, { shared: false });
  const [account] = await alone.journal.accounts();
  expect(account?.counted).toBe(2n);
});

test('pending claims are limited in number, and never expire', async () => {
  const one = await instance(redis.newPath(), { pendingClaimsMax: 3 });
  expect(await one.send([event(1), { id: 10, voids: 5 }])).toEqual([outcome.accepted, outcome.accepted]);
  await expect(one.send([event(2)])).rejects.toMatchObject({ code: 'ledger_full' });
  while (await one.store.journal.tidy({ keys: Date.now() * 2, details: today - 400 }));
  await one.open();
  expect(one.store.journal.pending?.events).toBe(3);
  await one.finish();
  expect(one.store.journal.pending?.events).toBe(0);
  expect(await one.send([event(3), event(5)])).toEqual([outcome.accepted, outcome.voided]);
});

test('with store.minReplicas a claim counts only after the replicas have it', async () => {
  const one = await instance(redis.newPath(), { minReplicas: 1 });
  await one.send([event(1)]);
  await expect(one.claim()).rejects.toMatchObject({ code: 'redis_unavailable' });
  const replica = await startRedis(join(redis.directory, 'replica'), { replicaOf: redis.server.port });
  try {
    await eventually(
      'the replica has the claims',
      async () => (await one.claim().catch(() => 'not yet')) === undefined,
    );
    expect([...((await one.settle())?.verdicts ?? [])]).toEqual([outcome.accepted]);
  } finally {
    await replica.stop();
  }
});
