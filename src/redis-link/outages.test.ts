import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort, sleep } from '../../test/support/program.ts';
import { startCutter, type Cutter } from '../../test/support/redis-cutter.ts';
import {
  answered,
  closeLinks,
  connectTestLink,
  openTestLink,
  untilConnected,
  untilDisconnected,
} from '../../test/support/redis-link.ts';
import { eventually, redisRelease, startRedis, type RedisServer } from '../../test/support/redis.ts';
import { limits } from '../base/index.ts';
import type { RedisLink } from './types.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-outages-'));
let server: RedisServer;
let cutter: Cutter;

beforeAll(async () => {
  // Before 7.0 the debug commands were always enabled.
  const [major] = await redisRelease();
  const directives = major < 7 ? [] : ['--enable-debug-command', 'yes'];
  server = await startRedis(join(directory, 'redis'), { appendOnly: true, directives });
});
beforeEach(async () => {
  await server.cli('flushall');
  cutter = await startCutter(server.port);
});
afterEach(async () => {
  await closeLinks();
  await cutter.stop();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const direct = () => ({ mode: 'standalone', url: server.url }) as const;
const throughCutter = () => ({ mode: 'standalone', url: `redis://127.0.0.1:${cutter.port}` }) as const;
const unavailable = { code: 'redis_unavailable' };
const count = (link: RedisLink) => link.send({ args: ['INCR', 'count'], key: 'count' });
const countNow = async () => Number(await server.cli('get', 'count'));

describe('a server that is down', () => {
  it('makes commands reject at once, appears in the status, and is connected when it comes up', async () => {
    const port = await freePort();
    const { link, lines } = await openTestLink({ mode: 'standalone', url: `redis://127.0.0.1:${port}` });
    await eventually('the failure shows', () => link.status.failure?.includes('ECONNREFUSED') ?? false);
    await expect(count(link)).rejects.toMatchObject(unavailable);
    await expect(link.script({ name: 's', source: 'return 1' }, ['k'], [])).rejects.toMatchObject(unavailable);
    await expect(link.evictionPolicies()).rejects.toMatchObject(unavailable);
    await sleep(400);
    expect(lines.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1); // not one for each attempt
    const late = await startRedis(join(directory, 'late'), { port });
    await untilConnected(link);
    expect(await count(link)).toBe(1);
    await late.stop();
  });

  it('has every acknowledged write after a kill and a restart', async () => {
    const { link } = await connectTestLink(direct());
    expect(await count(link)).toBe(1);
    await server.kill();
    await untilDisconnected(link);
    await expect(count(link)).rejects.toMatchObject(unavailable);
    await server.restart();
    await untilConnected(link);
    expect(await count(link)).toBe(2);
  });
});

describe('a server that does not answer', () => {
  it('is disconnected after the time limit, and its late answers reach no later command', async () => {
    const { link } = await connectTestLink({ ...direct(), commandTimeoutMs: 300, connectTimeoutMs: 300 });
    server.pause();
    const began = performance.now();
    const outcomes = await Promise.allSettled([count(link), link.send({ args: ['ECHO', 'one'] })]);
    expect(performance.now() - began).toBeGreaterThan(290);
    const late = { ...unavailable, message: expect.stringContaining('did not answer in 300 ms') };
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: late });
    await expect(link.send({ args: ['ECHO', 'two'] })).rejects.toMatchObject(unavailable);
    await eventually('the handshake takes too long', () => link.status.failure?.includes('did not') ?? false);
    server.resume();
    expect(await answered(() => link.send({ args: ['ECHO', 'three'] }))).toBe('three');
  });

  it('gets a new time limit after each answer, so commands may wait behind a slow one', async () => {
    const { link } = await connectTestLink({ ...direct(), commandTimeoutMs: 400 });
    const slow = async (delayMs: number) => {
      await sleep(delayMs);
      return link.send({ args: ['DEBUG', 'SLEEP', '0.25'] });
    };
    let began = 0;
    const all = await answered(() => {
      began = performance.now();
      return Promise.all([slow(0), slow(50), slow(300)]);
    });
    expect(all).toEqual(['OK', 'OK', 'OK']);
    expect(performance.now() - began).toBeGreaterThan(700);
  });

  it('stays connected if this process was too busy to read its answer', async () => {
    const { link } = await connectTestLink({ ...direct(), commandTimeoutMs: 100 });
    const busy = async () => {
      const asked = link.send({ args: ['ECHO', 'meanwhile'] });
      await new Promise((resolve) => setImmediate(resolve)); // the command is sent
      const until = performance.now() + 300;
      while (performance.now() < until);
      return asked;
    };
    expect(await answered(busy)).toBe('meanwhile');
  });
});

describe('a connection that is cut', () => {
  it('before the answer: the command was done once and is not sent again', async () => {
    const { link } = await connectTestLink(throughCutter());
    expect(await count(link)).toBe(1);
    for (let round = 1; round <= 5; round += 1) {
      cutter.cutAfterReceived(0);
      await expect(count(link)).rejects.toMatchObject(unavailable);
      await untilConnected(link);
      await sleep(60);
      expect(await countNow()).toBe(1 + round);
    }
  });

  it('within a pipeline: the commands that arrived were done once, the others never', async () => {
    const { link } = await connectTestLink(throughCutter());
    const increments = Array.from({ length: 100 }, () => ({ args: ['INCR', 'count'], key: 'count' }));
    const bytesEach = '*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n'.length;
    cutter.cutAfterSent(40 * bytesEach + 7);
    await expect(link.pipeline(increments)).rejects.toMatchObject(unavailable);
    await untilConnected(link);
    await sleep(100);
    expect(await countNow()).toBe(40);
    expect(await count(link)).toBe(41);
  });

  it('within an answer: the next answer is read from its beginning', async () => {
    const { link } = await connectTestLink(throughCutter());
    const text = 'é'.repeat(100_000);
    await link.send({ args: ['SET', 'text', text] });
    cutter.cutAfterReceived(50_001);
    await expect(link.send({ args: ['GET', 'text'] })).rejects.toMatchObject(unavailable);
    await untilConnected(link);
    expect(await link.send({ args: ['GET', 'text'] })).toBe(text);
  });

  it('after the time limit: the late answer is dropped', async () => {
    const { link } = await connectTestLink({ ...throughCutter(), commandTimeoutMs: 200 });
    cutter.hold();
    await expect(link.send({ args: ['ECHO', 'late'] })).rejects.toThrow('did not answer in 200 ms');
    cutter.release();
    expect(await answered(() => link.send({ args: ['ECHO', 'now'] }))).toBe('now');
  });

  it('repeatedly is reopened with growing pauses', async () => {
    const { link } = await connectTestLink(throughCutter());
    cutter.refuse(true);
    const before = cutter.accepted;
    const began = performance.now();
    cutter.cut();
    await eventually('five attempts were made', () => cutter.accepted - before >= 5);
    expect(performance.now() - began).toBeGreaterThan(50 + 100 + 200 + 400 + 800 - 50);
    cutter.refuse(false);
    await untilConnected(link);
    expect(await count(link)).toBe(1);
  });
});

describe('a busy server', () => {
  it('gets a command again until the script of another client has ended', async () => {
    await server.cli('config', 'set', 'lua-time-limit', '50');
    const { link } = await connectTestLink({ ...direct(), retryMs: 60_000 });
    const other = server.cli('eval', 'while true do end', '0').catch(() => 'killed');
    await eventually('the script runs', () =>
      server
        .cli('ping')
        .catch(String)
        .then((said) => said.includes('BUSY')),
    );
    const counted = count(link);
    await sleep(200);
    await server.cli('script', 'kill');
    expect(await counted).toBe(1);
    expect(await other).toBe('killed');
  });

  it('is unavailable if it is busy for longer than the link retries, and the command was not done', async () => {
    await server.cli('config', 'set', 'min-replicas-to-write', '1');
    const { link } = await connectTestLink({ ...direct(), retryMs: 300 });
    const began = performance.now();
    await expect(count(link)).rejects.toMatchObject({ ...unavailable, message: expect.stringContaining('NOREPLICAS') });
    expect(performance.now() - began).toBeGreaterThan(100);
    await server.cli('config', 'set', 'min-replicas-to-write', '0');
    expect(await count(link)).toBe(1);
  });

  it('that is a replica is unavailable until it becomes a primary', async () => {
    const { link } = await connectTestLink({ ...direct(), retryMs: 60_000 });
    await server.cli('replicaof', '127.0.0.1', String(await freePort()));
    const counted = count(link);
    await sleep(200);
    await server.cli('replicaof', 'no', 'one');
    expect(await counted).toBe(1);
  });
});

describe('closing', () => {
  it('rejects commands in flight and all later ones', async () => {
    const { link } = await connectTestLink(throughCutter());
    cutter.hold();
    const counted = count(link).catch((error: unknown) => error);
    await sleep(50);
    await link.close();
    expect(await counted).toMatchObject({ ...unavailable, message: expect.stringMatching(/closed/) });
    await expect(count(link)).rejects.toMatchObject(unavailable);
    expect(link.status).toMatchObject({ connected: false, failure: expect.stringMatching(/closed/) });
    await eventually('no connection is left', () => cutter.connections === 0);
  });

  it('does not wait for a server that accepts connections but does not answer', async () => {
    cutter.hold();
    const { link } = await openTestLink(throughCutter());
    await eventually('the link is connecting', () => cutter.connections === 1);
    const began = performance.now();
    await link.close();
    expect(performance.now() - began).toBeLessThan(limits.redisConnectMsMax);
    await eventually('no connection is left', () => cutter.connections === 0);
  });
});
