import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reconnectedAfter, untilConnected, type TestLink } from '../../../test/support/redis-link.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { eventually, startRedis } from '../../../test/support/redis.ts';
import { limits, systemClock } from '../../base/index.ts';
import { formatDay } from '../../usage/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import type { RedisWriter } from './index.ts';
import { BatchLog, firstDay, increment, randomLog, tokenOf } from './testing/batches.ts';
import { expectedSums, readState, sumsOf } from './testing/model.ts';
import { testWriter } from './testing/writer.ts';

const redis = suiteRedis();
let opened: TestLink;
let link: RedisLink;

beforeEach(async () => {
  opened = await redis.freshLink();
  ({ link } = opened);
});

const delivered = { kind: 'delivered', rejected: [] };
const rewindTo = (to: number) => ({ kind: 'rewind', to });

describe('a Redis that may evict keys', () => {
  afterEach(() => redis.server.cli('config', 'set', 'maxmemory-policy', 'noeviction'));

  it('stops delivery until the policy is noeviction', async () => {
    const log = randomLog(1, 3);
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    const { writer } = testWriter(link);
    await expect(writer.deliver(log.batches)).rejects.toMatchObject({ code: 'store_evicts', status: 503 });
    await expect(writer.position()).rejects.toMatchObject({ code: 'store_evicts' });
    expect(writer.failure).toContain('maxmemory-policy allkeys-lru, expected noeviction');
    expect(await redis.server.cli('dbsize')).toBe('0');
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
    expect(await writer.deliver(log.batches)).toEqual(delivered);
  });

  it('is noticed within half a minute, or immediately after an error', async () => {
    const log = randomLog(2, 4);
    let now = 0;
    const { writer } = testWriter(link, { clock: { now: () => 0, monotonic: () => now } });
    expect(await writer.deliver(log.read(0, 1))).toEqual(delivered);
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'volatile-ttl');
    now += limits.evictionCheckMs - 1;
    expect(await writer.deliver(log.read(1, 1))).toEqual(delivered);
    now += 1;
    await expect(writer.deliver(log.read(2, 1))).rejects.toMatchObject({ code: 'store_evicts' });
    await expect(writer.deliver(log.read(2, 1))).rejects.toMatchObject({ code: 'store_evicts' });
  });

  it('gets deliveries if allowEviction is set', async () => {
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lfu');
    const { writer } = testWriter(link, { allowEviction: true });
    expect(await writer.deliver(randomLog(3, 3).batches)).toEqual(delivered);
  });
});

describe('a full memory', () => {
  afterEach(() => redis.server.cli('config', 'set', 'maxmemory', '0'));

  it('refuses a delivery as a whole, and accepts it later', async () => {
    const log = randomLog(4, 30);
    const { writer } = testWriter(link);
    await writer.deliver(log.read(0, 10));
    await redis.server.cli('config', 'set', 'maxmemory', '1');
    const before = await readState(link);
    await expect(writer.deliver(log.read(10))).rejects.toMatchObject({ code: 'redis_refused' });
    expect(writer.failure).toContain('OOM');
    expect(await readState(link)).toEqual(before);
    await redis.server.cli('config', 'set', 'maxmemory', '0');
    expect(await writer.deliver(log.read(10))).toEqual(delivered);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  });

  it('refuses even a delivery that would only delete, so that a number never falls behind its counts', async () => {
    const log = new BatchLog();
    const event = increment('pulls', firstDay, {});
    log.add([event]);
    log.add([{ ...event, quantity: -1n }]);
    const { writer } = testWriter(link);
    await writer.deliver(log.read(0, 1));
    await redis.server.cli('config', 'set', 'maxmemory', '1');
    await expect(writer.deliver(log.read(1))).rejects.toMatchObject({ code: 'redis_refused' });
    expect(sumsOf(await readState(link))).toEqual(expectedSums([{ ledgerId: 'one', increments: [event] }]));
  });
});

describe('several ledgers', () => {
  it("have their own numbers and sums, and share Wave's fields", async () => {
    const [first, second] = [randomLog(5, 20), randomLog(6, 20)];
    const one = testWriter(link, { ledgerId: 'one', shared: true });
    const two = testWriter(link, { ledgerId: 'two', shared: true });
    for (let i = 0; i < 20; i += 4) {
      await Promise.all([one.writer.deliver(first.read(i, 4)), two.writer.deliver(second.read(i, 4))]);
    }
    expect(sumsOf(await readState(link))).toEqual(expectedSums([first.countsOf(), second.countsOf('two')]));
    expect(await Promise.all([one.writer.position(), two.writer.position()])).toEqual([20, 20]);
    expect([...one.warnings, ...two.warnings]).toEqual([]);
  });

  it('cause one warning, and none if they share their events', async () => {
    await testWriter(link, { ledgerId: 'two' }).writer.deliver(randomLog(7, 1).batches);
    let now = 0;
    const { writer, warnings } = testWriter(link, { clock: { now: () => 0, monotonic: () => now } });
    const log = randomLog(8, 2);
    await writer.deliver(log.read(0, 1));
    now += limits.evictionCheckMs;
    await writer.deliver(log.read(1, 1));
    expect(warnings).toEqual([expect.stringContaining('Other ledgers count into this Redis')]);
  });
});

describe('expired details', () => {
  const old = firstDay - 400;
  const log = new BatchLog();
  log.add([increment('pulls', old, { repository: 'x' }), increment('pulls', firstDay, { repository: 'x' })]);
  log.add([increment('pulls', old, { repository: 'y' })]);

  it('are dropped with their numbers; a late event of such a day still counts in the sums', async () => {
    let detailsFrom = old;
    const { writer } = testWriter(link, { detailsFrom: () => detailsFrom });
    await writer.deliver(log.read(0, 1));
    detailsFrom = old + 1;
    await writer.dropDetails('pulls', old);
    await writer.dropDetails('pulls', old);
    expect(Object.keys(await readState(link)).filter((key) => key.includes(formatDay(old)))).toEqual([
      `{metrics/v1}:own:one:day:pulls:${formatDay(old)}`,
    ]);
    expect(await writer.deliver(log.read(1))).toEqual(delivered);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()], detailsFrom));
  });

  it('cause no rewind if they were dropped while a delivery was in flight', async () => {
    let detailsFrom = old;
    const { writer } = testWriter(link, { detailsFrom: () => detailsFrom });
    await writer.deliver(log.read(0, 1));
    await link.send({ key: 'x', args: ['UNLINK', `{tonnage/pulls/${formatDay(old)}}:seq`] });
    // The day expires while the call is in flight.
    const first = { asked: false };
    const late = testWriter(link, {
      detailsFrom: () => (first.asked ? old + 1 : ((first.asked = true), old)),
    });
    expect(await late.writer.deliver(log.read(1))).toEqual(delivered);
    detailsFrom = old + 1;
    await writer.dropDetails('pulls', old);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()], detailsFrom));
  });

  it('are dropped without those of another ledger', async () => {
    for (const ledgerId of ['one', 'two']) {
      await testWriter(link, { ledgerId, shared: true, detailsFrom: () => old }).writer.deliver(log.batches);
    }
    await testWriter(link, { shared: true, detailsFrom: () => firstDay + 1 }).writer.dropDetails('pulls', old);
    const details = Object.entries(await readState(link)).filter(([key]) => key.includes(`/${formatDay(old)}}`));
    expect(Object.fromEntries(details)).toEqual({
      [`{tonnage/pulls/${formatDay(old)}}:cells:two`]: { '[null,null,null,"x"]': '1', '[null,null,null,"y"]': '1' },
      [`{tonnage/pulls/${formatDay(old)}}:seq`]: { two: `2:${tokenOf(2)}` },
    });
  });
});

it.each([
  ['position', (writer: RedisWriter) => writer.position(), 1],
  ['deliver', (writer: RedisWriter, log: BatchLog) => writer.deliver(log.read(2)), rewindTo(1)],
])('%s goes back to details that Redis has lost, even if no later batch changes them', async (_, ask, answer) => {
  const log = new BatchLog();
  log.add([increment('pulls', firstDay, { repository: 'x' })]);
  log.add([increment('pulls', firstDay, { repository: 'y' })]);
  log.add([increment('pulls', firstDay + 1, { repository: 'z' })]);
  let now = 0;
  const { writer } = testWriter(link, { clock: { now: () => 0, monotonic: () => now } });
  await writer.deliver(log.read(0, 1));
  const key = `{tonnage/pulls/${formatDay(firstDay)}}`;
  const lost = await readState(link);
  await writer.deliver(log.read(1, 1));
  // The state after a failover of the node that had these details.
  for (const part of ['seq', 'cells:one']) {
    const fields = Object.entries(lost[`${key}:${part}`] ?? {}).flat();
    await link.send({ key, args: ['DEL', `${key}:${part}`] });
    await link.send({ key, args: ['HSET', `${key}:${part}`, ...fields] });
  }
  now += limits.evictionCheckMs;
  expect(await ask(writer, log)).toEqual(answer);
  expect(await writer.deliver(log.read(1))).toEqual(delivered);
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  now += limits.evictionCheckMs;
  log.add([increment('pulls', firstDay + 1, { repository: 'z' })]);
  expect(await writer.deliver(log.read(3))).toEqual(delivered);
});

describe('replicas', () => {
  it('confirm the batches that they have; with too few replicas, batches are delivered but not confirmed', async () => {
    const log = randomLog(9, 12);
    const clock = { now: () => 0, monotonic: () => systemClock.monotonic() };
    const { writer } = testWriter(link, { minReplicas: 1, clock });
    expect(await writer.deliver(log.read(0, 4))).toEqual(delivered);
    expect(writer.confirmed).toBe(0);

    const replica = await startRedis(join(redis.directory, 'replica'), {
      replicaOf: redis.server.port,
      directives: ['--repl-diskless-sync-delay', '0'],
    });
    await eventually('the replica is a copy', async () => (await replica.cli('role')).includes('connected'));
    await eventually('the delivery is confirmed', async () => {
      await writer.deliver(log.read(4, 4));
      return writer.confirmed === 8;
    });
    await writer.deliver(log.read(2, 3)); // a repeated delivery and an empty one: batches stay confirmed
    await writer.deliver([]);
    expect(writer.confirmed).toBe(8);
    replica.pause();
    await writer.deliver(log.read(8));
    expect(writer.confirmed).toBe(8);
    replica.resume();
    await replica.stop();
    expect(await writer.position()).toBe(12);
    await redis.server.cli('flushall');
    expect(await writer.position()).toBe(0);
    expect(writer.confirmed).toBe(0);
  });

  it('confirm the writes of an earlier connection after the number was written again', async () => {
    const log = new BatchLog();
    for (const day of [firstDay, firstDay + 1]) log.add([increment('pulls', day, { repository: 'x' })]);
    let now = 0;
    const { writer } = testWriter(link, { minReplicas: 1, clock: { now: () => 0, monotonic: () => now } });
    const replica = await startRedis(join(redis.directory, 'late'), {
      replicaOf: redis.server.port,
      directives: ['--repl-diskless-sync-delay', '0'],
    });
    await eventually('the replica is a copy', async () => (await replica.cli('role')).includes('connected'));
    replica.pause();
    await writer.deliver(log.read(0, 1));
    await reconnectedAfter(opened, () => redis.server.cli('client', 'kill', 'type', 'normal'));
    now += limits.replicaRetryMs;
    // This batch is a duplicate on the new connection, which has written nothing yet: it must not count as confirmed.
    await writer.deliver(log.read(0, 1));
    expect(writer.confirmed).toBe(0);
    replica.resume();
    await eventually('the delivery is confirmed', async () => {
      now += limits.replicaRetryMs;
      await writer.deliver(log.read(1));
      return writer.confirmed === 2;
    });
    await replica.stop();
  });

  it('get a write for a duplicate too, because from Redis 7.2 on WAIT covers only the writes of its own connection', async () => {
    const changes = async () => Number(/^rdb_changes_since_last_save:(\d+)/m.exec(await redis.server.cli('info'))?.[1]);
    const { writer } = testWriter(link);
    const { batches } = randomLog(12, 1);
    await writer.deliver(batches);
    const before = await changes();
    await writer.deliver(batches);
    expect(await changes()).toBeGreaterThan(before);
  });

  it('are not asked if minReplicas is 0, and then no batch is confirmed', async () => {
    const { writer } = testWriter(link);
    await writer.deliver(randomLog(10, 5).batches);
    expect(writer.confirmed).toBe(0);
  });
});

it('reports why nothing is delivered while Redis is down', async () => {
  const log = randomLog(11, 2);
  const { writer } = testWriter(link);
  await writer.deliver(log.read(0, 1));
  await redis.server.kill();
  await expect(writer.deliver(log.read(1))).rejects.toMatchObject({ code: 'redis_unavailable' });
  expect(writer.failure).not.toBeUndefined();
  await redis.server.restart();
  await untilConnected(link);
  expect(await writer.deliver(log.read(1))).toEqual({ kind: 'rewind', to: 0 });
  expect(await writer.deliver(log.read(0))).toEqual(delivered);
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  expect(writer.failure).toBeUndefined();
});
