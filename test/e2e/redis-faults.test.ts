import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { batchText } from '../../src/redis-totals/batch-text.ts';
import { numbersKey, waveHash } from '../../src/redis-totals/layout.ts';
import { slotOf, type RedisLink } from '../../src/redis-link/index.ts';
import {
  BatchLog,
  firstDay,
  increment,
  randomIncrements,
  seeded,
  sendAll,
} from '../../src/redis-totals/write/testing/batches.ts';
import { expectedSums, readState, readSums, sumsOf } from '../../src/redis-totals/write/testing/model.ts';
import { testWriter } from '../../src/redis-totals/write/testing/writer.ts';
import type { Increment } from '../../src/usage/index.ts';
import { scaled } from '../support/long.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startCutter } from '../support/redis-cutter.ts';
import { closeLinks, connectTestLink, untilConnected, type LinkTestOptions } from '../support/redis-link.ts';
import { startSentinel } from '../support/redis-sentinel.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';

/*
 * What happens to counts while Redis fails in every way that it has. A ledger's batches are delivered by a sender that
 * only knows to try again; after each fault Redis must hold exactly what plain addition says.
 */

const directory = mkdtempSync(join(tmpdir(), 'tonnage-redis-faults-'));
const random = seeded(20_261_121);
let folder = 0;

afterEach(closeLinks);
afterAll(() => rmSync(directory, { recursive: true }));

const freshDirectory = () => join(directory, String((folder += 1)));

function logOf(batches: number, cells = 12): BatchLog {
  const log = new BatchLog();
  for (let i = 0; i < batches; i += 1) log.add(randomIncrements(random, cells));
  return log;
}

const sums = (log: BatchLog) => expectedSums([log.countsOf()]);

async function expectExact(link: RedisLink, log: BatchLog): Promise<void> {
  await untilConnected(link);
  expect(sumsOf(await readState(link))).toEqual(sums(log));
}

/** Cells of organisations that occur only here, with names so long that they take some megabytes. */
function longOrganisations(batch: number): readonly Increment[] {
  return Array.from({ length: 300 }, (_, index) => {
    const org = `${'organisation-'.repeat(80)}-${batch}-${index}`;
    return increment('pulls', firstDay, { org, arch: 'amd64', repository: 'x' });
  });
}

/** Writes in the background until `stop` is called, which answers once everything has been delivered. */
function writeOn(link: RedisLink, log = new BatchLog()) {
  const { writer } = testWriter(link);
  const state = { stopped: false, rewinds: 0 };
  const writing = (async () => {
    while (!state.stopped) {
      for (let i = 0; i < 5; i += 1) log.add(randomIncrements(random, 5));
      state.rewinds += await sendAll(log, writer, { max: 1 + Math.floor(random() * 7), waitMs: 60_000 });
    }
    state.rewinds += await sendAll(log, writer, { waitMs: 60_000 });
  })();
  return {
    log,
    async until(batches: number) {
      while (log.last < batches) await Promise.race([writing, pause(5)]);
    },
    async stop() {
      state.stopped = true;
      await writing;
      return state.rewinds;
    },
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('a connection that is cut', () => {
  it('at any byte, on the way there or back, costs nothing and counts nothing twice', async () => {
    const server = await startRedis(freshDirectory());
    const cutter = await startCutter(server.port);
    const { link } = await connectTestLink({ mode: 'standalone', url: `redis://127.0.0.1:${cutter.port}` });
    const { writer } = testWriter(link);
    const log = new BatchLog();
    for (let round = 0; round < scaled(40, 300); round += 1) {
      for (let i = 0; i < 3; i += 1) log.add(randomIncrements(random, 6));
      const bytes = Math.floor(random() ** 2 * 9_000);
      if (round % 2 === 0) cutter.cutAfterSent(bytes);
      else cutter.cutAfterReceived(Math.floor(bytes / 30));
      expect(await sendAll(log, writer, { max: 1 + (round % 4) })).toBe(0);
    }
    cutter.cutAfterSent(Infinity);
    cutter.cutAfterReceived(Infinity);
    await expectExact(link, log);
    expect(cutter.accepted).toBeGreaterThan(20);
    await closeLinks();
    await cutter.stop();
    await server.stop();
  });

  it('while the answer is held back: a call that was done and one that comes again count once', async () => {
    const server = await startRedis(freshDirectory());
    const cutter = await startCutter(server.port);
    const options = { mode: 'standalone', url: `redis://127.0.0.1:${cutter.port}`, commandTimeoutMs: 150 } as const;
    const { link } = await connectTestLink(options);
    const { writer } = testWriter(link);
    const log = logOf(4);
    await sendAll(log, writer);
    log.add(randomIncrements(random));
    cutter.hold();
    await expect(writer.deliver(log.read(4))).rejects.toMatchObject({ code: 'redis_unavailable' });
    cutter.release();
    log.add(randomIncrements(random));
    expect(await sendAll(log, writer)).toBe(0);
    await expectExact(link, log);
    await closeLinks();
    await cutter.stop();
    await server.stop();
  });
});

describe('a server', () => {
  const standalone = (server: RedisServer): LinkTestOptions => ({
    mode: 'standalone',
    url: server.url,
    commandTimeoutMs: 300,
  });

  it('that is killed keeps what it has synced, and is given the rest', async () => {
    const server = await startRedis(freshDirectory(), { appendOnly: true });
    const { link } = await connectTestLink(standalone(server));
    const load = writeOn(link);
    for (let kills = 1; kills <= scaled(2, 20); kills += 1) {
      await load.until(kills * 30);
      await server.kill();
      await server.restart();
    }
    expect(await load.stop()).toBe(0);
    await expectExact(link, load.log);
    await closeLinks();
    await server.stop();
  });

  it('that forgets everything when it is killed is given everything again', async () => {
    const server = await startRedis(freshDirectory());
    const { link } = await connectTestLink(standalone(server));
    const load = writeOn(link);
    for (const batches of [30, 60]) {
      await load.until(batches);
      await server.kill();
      await server.restart();
    }
    await load.until(90);
    await eventually('a batch is delivered', async () => (await server.cli('hlen', '{metrics/v1}:seq')).trim() !== '0');
    await server.cli('flushall');
    await load.until(100);
    expect(await load.stop()).toBeGreaterThan(0);
    await expectExact(link, load.log);
    await closeLinks();
    await server.stop();
  });

  it('that pauses runs the commands later, once', async () => {
    const server = await startRedis(freshDirectory());
    const { link } = await connectTestLink(standalone(server));
    const load = writeOn(link);
    for (let pauses = 1; pauses <= scaled(2, 15); pauses += 1) {
      await load.until(pauses * 25);
      server.pause();
      await pause(700);
      server.resume();
    }
    expect(await load.stop()).toBe(0);
    await expectExact(link, load.log);
    await closeLinks();
    await server.stop();
  });

  it('whose memory is full takes nothing, and everything once it has room', async () => {
    const server = await startRedis(freshDirectory());
    const { link } = await connectTestLink(standalone(server));
    const load = writeOn(link);
    await load.until(30);
    await server.cli('config', 'set', 'maxmemory', '1');
    await pause(300);
    await server.cli('config', 'set', 'maxmemory', '0');
    await load.until(60);
    expect(await load.stop()).toBe(0);
    await expectExact(link, load.log);
    await closeLinks();
    await server.stop();
  });
});

it('a failover that loses acknowledged writes: they are delivered again', async () => {
  const group = await startSentinel(freshDirectory());
  const { link } = await connectTestLink({ mode: 'sentinel', sentinels: group.sentinels, name: group.name });
  const load = writeOn(link);
  await load.until(30);
  const primary = await group.currentPrimary();
  const replica = group.servers.find((server) => server !== primary)!;
  await load.stop();
  const { log } = load;
  const before = log.last;
  await eventually('the replica has all of it', async () => {
    return (await replica.cli('hget', numbersKey, 'one')) === batchText(log.lastId);
  });

  replica.pause();
  const { writer } = testWriter(link, { minReplicas: 1 });
  // More than the buffers between the two can hold, so that what comes last stays with the primary.
  for (let i = 0; i < 10; i += 1) log.add([...randomIncrements(random), ...longOrganisations(i)]);
  expect(await sendAll(log, writer)).toBe(0); // acknowledged by the primary alone
  expect(writer.confirmed).toBe(0);
  await primary.kill();
  replica.resume();
  await group.untilReplaced(primary);
  log.add(randomIncrements(random));
  await untilConnected(link);
  let rewindTo = log.last;
  await eventually('the new primary says what it has', async () => {
    const answer = await writer.deliver(log.read(log.last - 1)).catch(() => undefined);
    if (answer?.kind === 'rewind') rewindTo = answer.to;
    return answer !== undefined;
  });
  expect(rewindTo).toBeGreaterThanOrEqual(before);
  expect(rewindTo).toBeLessThan(log.last - 1);
  await sendAll(log, writer, { waitMs: 60_000 });
  await expectExact(link, log);
  await closeLinks();
  await group.stop();
});

it('a slot of a Cluster that moves under load, Wave’s own included', async () => {
  const cluster = await startRedisCluster(freshDirectory());
  const { link } = await connectTestLink({ mode: 'cluster', nodes: cluster.nodes });
  const load = writeOn(link);
  await load.until(40);
  const details = Object.keys(sums(load.log)).filter((key) => key.includes(':cells:'));
  for (const key of [waveHash, details[0]!, details.at(-1)!, waveHash]) {
    const slot = slotOf(key);
    const owner = await cluster.ownerOf(slot);
    const before = load.log.last;
    await cluster.moveSlot(
      slot,
      cluster.servers.find((server) => server !== owner)!,
    );
    await load.until(before + 10);
  }
  expect(await load.stop()).toBe(0);
  await expectExactInCluster(link, load.log);
  await closeLinks();
  await cluster.stop();
});

it('a server of a Cluster that forgets the details it had: they are delivered again', async () => {
  const cluster = await startRedisCluster(freshDirectory());
  const { link } = await connectTestLink({ mode: 'cluster', nodes: cluster.nodes });
  const load = writeOn(link);
  await load.until(40);
  const main = await cluster.ownerOf(slotOf(waveHash));
  const other = cluster.servers.find((server) => server !== main)!;
  await other.kill();
  await other.restart();
  await load.until(load.log.last + 10);
  expect(await load.stop()).toBeGreaterThan(0);
  await expectExactInCluster(link, load.log);
  await closeLinks();
  await cluster.stop();
});

async function expectExactInCluster(link: RedisLink, log: BatchLog): Promise<void> {
  const expected = sums(log);
  expect(await readSums(link, Object.keys(expected))).toEqual(expected);
}
