import { TonnageError, type Log } from '../../../base/index.ts';
import { Connection, type ConnectionOptions, type Endpoint, nameOf } from './connection.ts';
import { RedisErrorReply, unavailable } from './failure.ts';
import { RedisNode } from './node.ts';
import { isList } from './reply.ts';
import type { Router } from './router.ts';
import type { SentinelRedis } from './types.ts';

/** One server, always the same. */
export function standaloneRouter(endpoint: Endpoint, options: ConnectionOptions, log: Log): Router {
  const node = new RedisNode({
    name: nameOf(endpoint),
    open: (signal) => Connection.open(endpoint, options, signal),
    log,
  });
  return singleRouter(node, () => undefined);
}

/** The server that the Sentinels call primary: they are asked again for each connection. */
export function sentinelRouter(
  { sentinels, name }: SentinelRedis,
  settings: { readonly connection: ConnectionOptions; readonly sentinel: ConnectionOptions },
  log: Log,
): Router {
  let next = 0;
  const open = async (signal: AbortSignal) => {
    const failures: string[] = [];
    for (let tried = 0; tried < sentinels.length; tried += 1) {
      const sentinel = sentinels[next % sentinels.length];
      if (!sentinel) break;
      try {
        return await openPrimary(
          await askSentinel(sentinel, name, settings.sentinel, signal),
          settings.connection,
          signal,
        );
      } catch (error) {
        if (!(error instanceof TonnageError)) throw error;
        failures.push(error.message);
        next += 1; // one that answers is asked first the next time
      }
    }
    throw unavailable(`no Sentinel leads to a primary called ${name}: ${[...new Set(failures)].join('; ')}`);
  };
  const node = new RedisNode({ name, open, log });
  return singleRouter(node, (word) => {
    if (word !== 'READONLY' || node.failure) return;
    node.drop(node.connection, unavailable(`Redis ${node.connection.name} is no longer the primary of ${name}`));
  });
}

function singleRouter(node: RedisNode, doubt: (word: string) => void): Router {
  return {
    nodeFor: () => node,
    redirected: () => undefined,
    doubt: (_, word) => doubt(word),
    primaries: () => [node],
    get status() {
      return node.failure ? { connected: false, failure: node.failure.message } : { connected: true };
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

/** Sentinels may be behind: the server itself says whether it is a primary. */
async function openPrimary(endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const connection = await Connection.open(endpoint, options, signal);
  try {
    const role = await connection.send(['ROLE']);
    if (isList(role) && role[0] === 'master') return connection;
  } catch (error) {
    if (error instanceof RedisErrorReply && error.word === 'NOPERM') return connection;
  }
  const failure = unavailable(`Redis ${connection.name} is not the primary that Sentinel took it for`);
  connection.close(failure);
  throw failure;
}
