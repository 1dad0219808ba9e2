import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Program } from './program.ts';
import { eventually, redisCli, startRedis, startRedisProgram, stopRedisProgram, type RedisServer } from './redis.ts';

/** A primary, a replica, and three Sentinels that watch them. */
export interface SentinelGroup {
  /** The name of the primary at the Sentinels. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The two servers; which of them is the primary changes. */
  readonly servers: readonly RedisServer[];
  currentPrimary(): Promise<RedisServer>;
  /**
   * Makes the replica the primary, and waits until all Sentinels say so. Both stay alive. The old primary becomes a
   * replica at once; with `isLate` the Sentinels demote it, and it accepts writes for another eight seconds.
   */
  failover(options?: { readonly isLate?: boolean }): Promise<void>;
  /** Waits until all Sentinels name another primary than `server`; after a kill this takes about six seconds. */
  untilReplaced(server: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** The password of the servers. */
  readonly password?: string;
  /** The password of the Sentinels. */
  readonly sentinelPassword?: string;
}

const name = 'tonnage';
const count = 3;
const quorum = 2;
/** Sentinels that paused for a moment do nothing for half a minute (TILT). */
const sentinelsMs = 90_000;
/** A primary that pauses for less than this does not count as dead. */
const downAfterMs = 4_000;
/** The failover is requested again after this time, since a Sentinel that paused abandons it. */
const askAgainMs = 15_000;

/** Starts all of them with their data in folders of `directory`; returns when the Sentinels agree on the servers. */
export async function startSentinel(directory: string, options: SentinelOptions = {}): Promise<SentinelGroup> {
  const servers: RedisServer[] = [];
  const programs: Program[] = [];
  const stop = async () => {
    await Promise.all([...programs.map(stopRedisProgram), ...servers.map((server) => server.kill())]);
  };
  try {
    const { password } = options;
    const common = password === undefined ? {} : { password, directives: ['--masterauth', password] };
    const primary = await startRedis(join(directory, 'first'), common);
    const replica = await startRedis(join(directory, 'second'), { ...common, replicaOf: primary.port });
    servers.push(primary, replica);
    await eventually('the replica is a copy', async () => (await replica.cli('role')).includes('connected'));
    const ports: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const port = await freePort();
      programs.push(await startOne(join(directory, `sentinel-${index}`), port, primary.port, options));
      ports.push(port);
    }
    const group = groupOf(servers, ports, options, stop);
    await eventually('the Sentinels know the replica and each other', async () => {
      const states = await Promise.all(ports.map((port) => stateOf(port, options)));
      return states.every((state) => state['num-slaves'] === '1' && state['num-other-sentinels'] === `${count - 1}`);
    });
    return group;
  } catch (error) {
    await stop();
    throw error;
  }
}

function groupOf(
  servers: readonly RedisServer[],
  ports: readonly number[],
  options: SentinelOptions,
  stop: () => Promise<void>,
): SentinelGroup {
  const cli = (port: number, ...args: readonly string[]) => sentinelCli(port, args, options);
  const currentPrimary = async () => {
    const [, port] = (await cli(ports[0] ?? 0, 'get-master-addr-by-name', name)).split('\n');
    const found = servers.find((server) => String(server.port) === port);
    if (!found) throw new Error(`the Sentinels name a primary on port ${port}, where there is none`);
    return found;
  };
  const untilReplaced = (server: RedisServer) =>
    eventually(
      'all Sentinels name another primary',
      async () => {
        const states = await Promise.all(ports.map((port) => stateOf(port, options)));
        return states.every(({ port, flags }) => port !== String(server.port) && flags === 'master');
      },
      sentinelsMs,
    );
  return {
    name,
    sentinels: ports.map((port) => ({ host: '127.0.0.1', port })),
    servers,
    currentPrimary,
    untilReplaced,
    async failover({ isLate = false } = {}) {
      const before = await currentPrimary();
      let askAt = 0;
      await eventually('a Sentinel has made another the primary', async () => {
        const [first = 0] = ports;
        if ((await stateOf(first, options))['port'] !== String(before.port)) return true;
        if (performance.now() < askAt) return false;
        const answer = await cli(first, 'failover', name).catch(String);
        if (answer.startsWith('OK')) askAt = performance.now() + askAgainMs;
        return false;
      });
      await untilReplaced(before);
      if (isLate) return;
      await before.cli('replicaof', '127.0.0.1', String((await currentPrimary()).port));
      await before.cli('client', 'kill', 'type', 'normal'); // as a Sentinel does
    },
    stop,
  };
}

async function startOne(directory: string, port: number, primary: number, options: SentinelOptions): Promise<Program> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${primary} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 3000`,
    ...(options.password === undefined ? [] : [`sentinel auth-pass ${name} ${options.password}`]),
    ...(options.sentinelPassword === undefined
      ? []
      : [`requirepass ${options.sentinelPassword}`, `sentinel sentinel-pass ${options.sentinelPassword}`]),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return startRedisProgram([file, '--sentinel'], /\+monitor master/);
}

function sentinelCli(port: number, args: readonly string[], { sentinelPassword }: SentinelOptions): Promise<string> {
  const secret = sentinelPassword === undefined ? {} : { password: sentinelPassword };
  return redisCli(port, ['sentinel', ...args], secret);
}

async function stateOf(port: number, options: SentinelOptions): Promise<Readonly<Record<string, string>>> {
  const lines = (await sentinelCli(port, ['master', name], options)).split('\n');
  const pairs = lines.flatMap((line, index) => (index % 2 === 0 ? [[line, lines[index + 1] ?? '']] : []));
  return Object.fromEntries(pairs) as Readonly<Record<string, string>>;
}
