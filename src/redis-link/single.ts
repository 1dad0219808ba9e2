import { limits, pause, TonnageError, type Log } from '../base/index.ts';
import { Connection, type ConnectionOptions, type Endpoint, nameOf } from './connection.ts';
import { statusOf, RedisErrorReply, unavailable } from './failure.ts';
import { RedisNode } from './node.ts';
import { isList } from './reply.ts';
import type { Router } from './router.ts';
import type { SentinelRedis } from './types.ts';

/**
 * A router to one fixed address. Its host name may later resolve to another server, but an open connection stays at the
 * old one. So the router closes the connection if that server has become a replica.
 */
export function standaloneRouter(endpoint: Endpoint, options: ConnectionOptions, log: Log): Router {
  const node = new RedisNode({
    name: nameOf(endpoint),
    open: (signal) => Connection.open(endpoint, options, signal),
    log,
  });
  return singleRouter(node, 'has become a replica');
}

/** A router to the primary that the Sentinels name. It queries them before each connection, and then at intervals. */
export function sentinelRouter(
  redis: SentinelRedis,
  settings: { readonly connection: ConnectionOptions; readonly sentinel: ConnectionOptions },
  log: Log,
): Router {
  const { sentinels, name } = redis;
  let next = 0;
  const firstOf = async <T>(signal: AbortSignal, work: (endpoint: Endpoint) => Promise<T>): Promise<T> => {
    const failures = new Set<string>();
    for (let tried = 0; tried < sentinels.length && !signal.aborted; tried += 1) {
      const sentinel = sentinels[next % sentinels.length];
      if (!sentinel) break;
      try {
        return await work(await askSentinel(sentinel, name, settings.sentinel, signal));
      } catch (error) {
        if (!(error instanceof TonnageError)) throw error;
        failures.add(error.message);
        next += 1; // start with the next Sentinel from now on
      }
    }
    throw unavailable(`found no primary called ${name} through the Sentinels: ${[...failures].join('; ')}`);
  };
  const node = new RedisNode({
    name,
    open: (signal) => firstOf(signal, (endpoint) => openPrimary(endpoint, settings.connection, signal)),
    log,
  });
  const demoted = `is no longer the primary of ${name}`;
  const watch = repeat(limits.redisSentinelMs, async (signal) => {
    if (node.failure) return;
    const before = node.connection;
    const named = await firstOf(signal, async (endpoint) => nameOf(endpoint));
    if (!node.failure && node.connection === before && named !== before.name) disconnect(node, demoted);
  });
  const router = singleRouter(node, demoted);
  return {
    ...router,
    get status() {
      return router.status;
    },
    close: async () => {
      await Promise.all([watch.stop(), node.close()]);
    },
  };
}

/** Runs `work` at intervals until stopped. Ignores its errors: `work` is a check, and the next one may succeed. */
function repeat(pauseMs: number, work: (signal: AbortSignal) => Promise<void>): { stop(): Promise<void> } {
  const abort = new AbortController();
  const { signal } = abort;
  const loop = (async () => {
    while (!signal.aborted) {
      await pause(pauseMs, signal);
      if (!signal.aborted) await work(signal).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      abort.abort();
      await loop;
    },
  };
}

/** Closes the connection. The node then opens another one, perhaps to another server. The error is `Redis NAME WHY`. */
function disconnect({ connection }: RedisNode, why: string): void {
  connection.close(unavailable(`Redis ${connection.name} ${why}`));
}

/** A router to one node. `demoted`: the reason, for the error, to disconnect from a server that rejects writes. */
function singleRouter(node: RedisNode, demoted: string): Router {
  return {
    nodeFor: () => node,
    redirected: () => undefined,
    transientError: (_, word) => {
      if (word === 'READONLY' && !node.failure) disconnect(node, demoted);
    },
    primaries: () => [node],
    get status() {
      return statusOf(node.failure ? [node.failure] : []);
    },
    close: () => node.close(),
  };
}

async function askSentinel(
  sentinel: Endpoint,
  name: string,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Endpoint> {
  const connection = await Connection.open(sentinel, options, signal);
  try {
    const reply = await connection.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
    if (reply === null) throw unavailable(`Sentinel ${connection.name} knows no primary called ${name}`);
    const [host, port] = isList(reply) ? reply : [];
    if (typeof host !== 'string') throw unavailable(`Sentinel ${connection.name} answered no address`);
    return { host, port: Number(port) };
  } catch (error) {
    if (!(error instanceof RedisErrorReply)) throw error;
    throw unavailable(`Sentinel ${connection.name} answered: ${error.message}`);
  } finally {
    connection.close(unavailable(`done with Sentinel ${connection.name}`));
  }
}

/** Connects to a server, and checks with ROLE that it is a primary: Sentinels may be out of date. */
async function openPrimary(endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const connection = await Connection.open(endpoint, options, signal);
  try {
    const role = await connection.send(['ROLE']);
    if (isList(role) && role[0] === 'master') return connection;
  } catch (error) {
    if (error instanceof RedisErrorReply && error.word === 'NOPERM') return connection;
  }
  const failure = unavailable(`Redis ${connection.name} is not a primary, although a Sentinel named it as one`);
  connection.close(failure);
  throw failure;
}
