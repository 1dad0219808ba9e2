import { join } from 'node:path';
import { freePort } from './program.ts';
import { eventually, redisRelease, startRedis, type RedisServer } from './redis.ts';

/** Steps of a test while a slot moves. */
export interface MoveHooks {
  /** The source redirects requests for keys that it does not have to the target (ASK). */
  readonly afterAnnounced?: () => Promise<void> | void;
  /** Called after each moved key. */
  readonly afterKey?: (key: string) => Promise<void> | void;
  /** The target has all keys, but no node names it as the owner yet. */
  readonly afterKeys?: () => Promise<void> | void;
}

/** Three primaries that share all slots between them. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** The server that has the slot, as the first node sees it. */
  ownerOf(slot: number): Promise<RedisServer>;
  /** Starts a replica of one of the servers, and waits until it is in sync. It takes over within ten seconds after a kill. */
  addReplica(of: RedisServer): Promise<RedisServer>;
  /** Moves a slot with its keys, one key at a time, while other clients may read and write. */
  moveSlot(slot: number, to: RedisServer, hooks?: MoveHooks): Promise<void>;
  stop(): Promise<void>;
}

const slots = 16_384;
const count = 3;
/** A node that pauses for less than this, for example because of its disk, does not count as dead. */
const nodeTimeoutMs = 5_000;
/** Offset of the port for the other nodes of the Cluster. It is configurable from 7.0 on. */
const busOffset = 10_000;

/** Starts a Cluster with its data in folders of `directory`; returns when all nodes report that it is complete. */
export async function startRedisCluster(
  directory: string,
  options: { readonly directives?: readonly string[] } = {},
): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  const replicas: RedisServer[] = [];
  const stop = async () => void (await Promise.all([...servers, ...replicas].map((server) => server.kill())));
  const [major] = await redisRelease();
  const canChooseBus = major >= 7;
  const startNode = async (name: string) => {
    const port = await freePort();
    const bus = canChooseBus ? await freePort() : port + busOffset;
    const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)];
    const directives = [
      ...cluster,
      ...(canChooseBus ? ['--cluster-port', String(bus)] : []),
      ...(options.directives ?? []),
    ];
    return { server: await startRedis(join(directory, name), { port, directives }), bus };
  };
  try {
    for (let index = 0; index < count; index += 1) {
      const { server, bus } = await startNode(`node-${index}`);
      servers.push(server);
      const [first] = servers;
      await server.cli('cluster', 'addslots', ...slotsOf(index));
      await server.cli('cluster', 'set-config-epoch', String(index + 1));
      if (first && index > 0) await first.cli('cluster', 'meet', '127.0.0.1', String(server.port), String(bus));
    }
    await eventually('the Cluster is whole', async () => {
      const infos = await Promise.all(servers.map((server) => server.cli('cluster', 'info')));
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`));
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    servers,
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    ownerOf: (slot) => ownerOf([...servers, ...replicas], slot),
    async addReplica(of) {
      const { server, bus } = await startNode(`replica-${replicas.length}`);
      replicas.push(server);
      const id = await of.cli('cluster', 'myid');
      await of.cli('cluster', 'meet', '127.0.0.1', String(server.port), String(bus));
      await eventually('the replica knows whom to copy', async () => {
        return server.cli('cluster', 'replicate', id).then(
          () => true,
          () => false,
        );
      });
      await eventually('the replica is a copy', async () => (await server.cli('role')).includes('connected'));
      await eventually('all nodes know the replica', async () => {
        const infos = await Promise.all(servers.map((other) => other.cli('cluster', 'nodes')));
        return infos.every((info) => new RegExp(`:${server.port}@.* slave ${id}`).test(info));
      });
      return server;
    },
    moveSlot: (slot, to, hooks) => moveSlot(servers, slot, to, hooks),
    stop,
  };
}

function slotsOf(index: number): readonly string[] {
  const first = Math.floor((slots * index) / count);
  const next = Math.floor((slots * (index + 1)) / count);
  return Array.from({ length: next - first }, (_, slot) => String(first + slot));
}

async function ownerOf(servers: readonly RedisServer[], slot: number): Promise<RedisServer> {
  const lines = (await servers[0]?.cli('cluster', 'nodes'))?.split('\n') ?? [];
  const line = lines.find((candidate) => {
    const ranges = candidate.split(' ').slice(8);
    return ranges.some((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return first !== undefined && last !== undefined && first <= slot && slot <= last;
    });
  });
  const port = Number(/:(\d+)@/.exec(line ?? '')?.[1]);
  const owner = servers.find((server) => server.port === port);
  if (!owner) throw new Error(`no node has slot ${slot}:\n${lines.join('\n')}`);
  return owner;
}

/** The steps of the Cluster specification, "Moving a slot". */
async function moveSlot(
  servers: readonly RedisServer[],
  slot: number,
  to: RedisServer,
  hooks: MoveHooks = {},
): Promise<void> {
  const from = await ownerOf(servers, slot);
  const [fromId, toId] = await Promise.all([from.cli('cluster', 'myid'), to.cli('cluster', 'myid')]);
  await to.cli('cluster', 'setslot', String(slot), 'importing', fromId);
  await from.cli('cluster', 'setslot', String(slot), 'migrating', toId);
  await hooks.afterAnnounced?.();
  for (;;) {
    const [key] = (await from.cli('cluster', 'getkeysinslot', String(slot), '1')).split('\n');
    if (key === undefined || key === '') break;
    await from.cli('migrate', '127.0.0.1', String(to.port), key, '0', '30000');
    await hooks.afterKey?.(key);
  }
  await hooks.afterKeys?.();
  for (const server of [to, from, ...servers.filter((other) => other !== to && other !== from)]) {
    await server.cli('cluster', 'setslot', String(slot), 'node', toId);
  }
}
