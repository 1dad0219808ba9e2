import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/program.ts';
import { startRedisCluster, type RedisCluster } from '../../test/support/redis-cluster.ts';
import { startCutter } from '../../test/support/redis-cutter.ts';
import { closeLinks, connectTestLink, openTestLink, untilConnected } from '../../test/support/redis-link.ts';
import { eventually, startRedis, type RedisServer } from '../../test/support/redis.ts';
import { slotOf } from './slot.ts';
import type { RedisLink } from './types.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-cluster-'));
const both = { name: 'both', source: `return redis.call('INCR', KEYS[1]) + redis.call('INCR', KEYS[2])` };
let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster(directory, { directives: ['--cluster-require-full-coverage', 'no'] });
});
afterEach(closeLinks);
afterAll(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

const clustered = () => ({ mode: 'cluster', nodes: cluster.nodes.slice(0, 1) }) as const;
const count = (key: string) => ({ args: ['INCR', key], key });

/** A node to which the slot of `key` can move. */
async function elsewhere(key: string): Promise<RedisServer> {
  const owner = await cluster.ownerOf(slotOf(key));
  const other = cluster.servers.find((server) => server !== owner);
  if (!other) throw new Error('a Cluster has several nodes');
  return other;
}

describe('a Cluster', () => {
  it('is discovered from one node, and reports the policies of all nodes', async () => {
    const absent = { host: '127.0.0.1', port: await freePort() };
    const { link } = await connectTestLink({ mode: 'cluster', nodes: [absent, ...clustered().nodes] });
    const policies = cluster.servers.map(({ port }) => ({ node: `127.0.0.1:${port}`, policy: 'noeviction' }));
    const told = await link.evictionPolicies();
    expect(told.toSorted((a, b) => a.node.localeCompare(b.node))).toEqual(
      policies.toSorted((a, b) => a.node.localeCompare(b.node)),
    );
  });

  it('computes the same slots as slotOf', async () => {
    const { link } = await connectTestLink(clustered());
    const property = fc.asyncProperty(fc.string({ unit: fc.constantFrom('{', '}', 'a', 'é', '/') }), async (key) => {
      expect(await link.send({ args: ['CLUSTER', 'KEYSLOT', key] })).toBe(slotOf(key));
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('answers a pipeline over all nodes in order', async () => {
    const { link } = await connectTestLink(clustered());
    const keys = Array.from({ length: 300 }, (_, index) => `spread:${index}`);
    await link.pipeline(keys.map((key, index) => ({ args: ['SET', key, String(index)], key })));
    const read = await link.pipeline(keys.map((key) => ({ args: ['GET', key], key })));
    expect(read).toEqual(keys.map((_, index) => String(index)));
    const sizes = await Promise.all(cluster.servers.map((server) => server.cli('dbsize')));
    expect(sizes.map(Number).every((size) => size > 50)).toBe(true);
  });

  it('gets WAIT at the node of the key', async () => {
    const { link } = await connectTestLink(clustered());
    await link.script(both, ['{w}1', '{w}2'], []);
    expect(await link.waitReplicas('{w}1', 1, 50)).toBe(0);
    await expect(link.waitReplicas('other', 1, 50)).rejects.toThrow('write again first');
  });
});

describe('a migrating slot', () => {
  it('takes writes all the time, each once: the link handles ASK, TRYAGAIN and MOVED', async () => {
    const { link } = await connectTestLink({ ...clustered(), retryMs: 60_000 });
    const keys = ['{m}a', '{m}b'];
    for (let index = 0; index < 20; index += 1) await link.send(count(`{m}${index}`));
    expect(await link.script(both, keys, [])).toBe(2);
    let scripts = 1;
    const run = async () => {
      scripts += 1;
      await link.script(both, keys, []);
    };
    let split: Promise<void> | undefined;
    await cluster.moveSlot(slotOf('{m}'), await elsewhere('{m}'), {
      afterAnnounced: async () => {
        expect(await link.send(count('{m}new'))).toBe(1); // ASK
        await run();
      },
      afterKey: (key) => {
        if (keys.includes(key)) split ??= run(); // TRYAGAIN, until the other key has moved too
      },
      afterKeys: async () => {
        await split;
        await run(); // ASK, with a script that the new node does not know yet
        expect(await link.send(count('{m}new'))).toBe(2);
      },
    });
    expect(split).toBeDefined();
    await run(); // MOVED
    expect(await link.pipeline(keys.map((key) => ({ args: ['GET', key], key })))).toEqual([`${scripts}`, `${scripts}`]);
    const others = await link.pipeline(Array.from({ length: 20 }, (_, index) => count(`{m}${index}`)));
    expect(others).toEqual(Array.from({ length: 20 }, () => 2));
  });

  it('is unavailable if it stays split for longer than the link retries, and the script did nothing', async () => {
    const { link } = await connectTestLink(clustered());
    const hasty = await connectTestLink({ ...clustered(), retryMs: 200 });
    await link.script(both, ['{s}a', '{s}b'], []);
    let outcome: unknown;
    await cluster.moveSlot(slotOf('{s}'), await elsewhere('{s}'), {
      afterKey: async () => {
        outcome ??= await hasty.link.script(both, ['{s}a', '{s}b'], []).catch((error: unknown) => error);
      },
    });
    // Before 7.0 the old node answers ASK for a key that has moved, even if it still has other keys of the script.
    expect(outcome).toMatchObject({
      code: 'redis_unavailable',
      message: expect.stringMatching(/: (TRYAGAIN|ASK) /),
    });
    expect(await link.script(both, ['{s}a', '{s}b'], [])).toBe(4);
  });
});

describe('a lost node', () => {
  it('makes only its own slots unavailable, until it is back', async () => {
    const { link } = await connectTestLink({ ...clustered(), retryMs: 300 });
    const lost = await cluster.ownerOf(slotOf('lost'));
    const kept = Array.from({ length: 50 }, (_, index) => `kept:${index}`);
    const owners = await Promise.all(kept.map((key) => cluster.ownerOf(slotOf(key))));
    const [alive = ''] = kept.filter((_, index) => owners[index] !== lost);
    await lost.kill();
    await eventually('the status is disconnected', () => !link.status.connected);
    await expect(link.send(count('lost'))).rejects.toMatchObject({ code: 'redis_unavailable' });
    expect(await link.send(count(alive))).toBe(1);
    await lost.restart();
    await untilConnected(link);
    await eventually('the Cluster has it back', async () => {
      return link.send({ args: ['GET', 'lost'], key: 'lost' }).then(
        () => true,
        () => false,
      );
    });
  });

  it('does not get a command again that it may have done, after a cut (with a natMap)', async () => {
    const owner = await cluster.ownerOf(slotOf('cut'));
    const cutter = await startCutter(owner.port);
    const natMap = { [`127.0.0.1:${owner.port}`]: { host: '127.0.0.1', port: cutter.port } };
    const { link } = await connectTestLink({ ...clustered(), natMap });
    expect(await link.send(count('cut'))).toBe(1);
    cutter.cutAfterReceived(0);
    await expect(link.send(count('cut'))).rejects.toMatchObject({ code: 'redis_unavailable' });
    await untilConnected(link);
    expect(await link.send(count('cut'))).toBe(3);
    await link.close();
    await cutter.stop();
  });

  it('is reported if all nodes are unreachable, and for a server that is not a Cluster', async () => {
    const absent = { host: '127.0.0.1', port: await freePort() };
    const away = await openTestLink({ mode: 'cluster', nodes: [absent] });
    await eventually('the failure shows', () => away.link.status.failure?.includes('ECONNREFUSED') ?? false);
    await expect(away.link.send(count('a'))).rejects.toMatchObject({ code: 'redis_unavailable' });
    const single = await startRedis(join(directory, 'single'));
    const wrong = await openTestLink({ mode: 'cluster', nodes: [{ host: '127.0.0.1', port: single.port }] });
    await eventually('the failure shows', () => wrong.link.status.failure?.includes('cluster support') ?? false);
    await single.stop();
  });
});

describe('a node with a replica', () => {
  /** A key of that node, which a script has written twice. */
  async function keyOf(node: RedisServer, link: RedisLink): Promise<string> {
    const keys = Array.from({ length: 64 }, (_, index) => `of:${index}`);
    const owners = await Promise.all(keys.map((key) => cluster.ownerOf(slotOf(key))));
    const [key = ''] = keys.filter((_, index) => owners[index] === node);
    expect(await link.script(both, [key, key], [])).toBe(3);
    return key;
  }

  it('may become its replica, which then redirects the link', async () => {
    const { link, lines } = await connectTestLink(clustered());
    const [, node] = cluster.servers;
    if (!node) throw new Error('a Cluster has several nodes');
    const replica = await cluster.addReplica(node);
    const key = await keyOf(node, link);
    expect(await link.waitReplicas(key, 1, 20_000)).toBe(1);
    await replica.cli('cluster', 'failover', 'takeover'); // needs no votes, which the other nodes may refuse for seconds
    await eventually('the old primary is a replica', async () => (await node.cli('role')).startsWith('slave'));
    expect(await link.send(count(key))).toBe(3);
    expect(await replica.cli('get', key)).toBe('3');
    expect(lines.filter((line) => line.startsWith('no connection'))).toEqual([]);
  });

  it('may be killed: its replica takes over, with the writes that WAIT has confirmed', async () => {
    const { link } = await connectTestLink(clustered());
    const [, , node] = cluster.servers;
    if (!node) throw new Error('a Cluster has several nodes');
    const replica = await cluster.addReplica(node);
    const key = await keyOf(node, link);
    expect(await link.waitReplicas(key, 1, 20_000)).toBe(1);
    await node.kill();
    await eventually('the link reaches the replica', async () => {
      return link.send({ args: ['GET', key], key }).then(
        (value) => value === '2',
        () => false,
      );
    });
    expect(await link.send(count(key))).toBe(3);
    expect(await replica.cli('get', key)).toBe('3');
    await untilConnected(link);
  });
});
