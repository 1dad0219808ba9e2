import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { messageOf, type Log } from '../base/index.ts';
import { rights, type Principal } from '../identity/index.ts';
import { closerOf, createListener, type Handler } from './listener.ts';

/** Longest socket path that every system accepts (`sun_path` has 108 bytes on Linux, 104 on macOS). */
const socketPathBytesMax = 103;

const fromSocket = new WeakSet<IncomingMessage>();
const owner: Principal = Object.freeze({ subject: 'owner of the data directory', rights: new Set(rights) });

/**
 * Returns the principal of a request over the data directory's socket; `undefined` for any other request. It has all
 * rights: a process that can open the socket can also read and write the whole directory.
 */
export function ownerOf(request: IncomingMessage): Principal | undefined {
  return fromSocket.has(request) ? owner : undefined;
}

export interface LocalSocketOptions {
  /** Path of the socket. A killed server's socket is replaced: the caller holds the directory's lock. */
  readonly file: string;
  readonly handler: Handler;
  readonly log: Log;
}

/**
 * Listens on a socket in the data directory for commands on this machine. Only this user can open it (mode 0600).
 * Resolves with a function that closes it and waits up to `waitMs` for requests in flight. If the socket cannot be
 * opened, logs a warning: commands then need `--url`.
 */
export async function openLocalSocket({
  file,
  handler,
  log,
}: LocalSocketOptions): Promise<(waitMs: number) => Promise<unknown>> {
  const server = createListener((request, response) => {
    fromSocket.add(request);
    response.setHeader('connection', 'close');
    handler(request, response);
  });
  try {
    if (Buffer.byteLength(file) > socketPathBytesMax) {
      throw new Error(`expected a path of at most ${socketPathBytesMax} bytes, got ${Buffer.byteLength(file)}`);
    }
    rmSync(file, { force: true });
    await once(server.listen(file), 'listening');
    chmodSync(file, 0o600);
  } catch (error) {
    server.close();
    log.warn({ file, error: messageOf(error) }, 'cannot open the socket for local commands; they need --url');
    return () => Promise.resolve();
  }
  return closerOf(server);
}
