import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { messageOf, type Log } from '../base/index.ts';
import { rights, type Principal } from '../identity/index.ts';
import { createListener, type Handler } from './listener.ts';

/** Longest path of a socket that every system takes (`sun_path` of Linux has 108 bytes, of macOS 104). */
const socketPathBytesMax = 103;

const fromSocket = new WeakSet<IncomingMessage>();
const owner: Principal = Object.freeze({ subject: 'owner of the data directory', rights: new Set(rights) });

/** Who asks by the socket of the data directory: whoever may open that may read and write all that is there anyway. */
export function ownerOf(request: IncomingMessage): Principal | undefined {
  return fromSocket.has(request) ? owner : undefined;
}

export interface LocalSocketOptions {
  /** Path of the socket. What a killed server has left there is removed: the caller holds the lock of the directory. */
  readonly file: string;
  /** Answers the API. */
  readonly handler: Handler;
  readonly log: Log;
}

/**
 * Listens on a socket in the data directory, which only this user can open (mode 0600), for commands on this machine.
 * Resolves with what closes it, within the milliseconds that it is given; where no socket can be had the log says so, and
 * commands need `--url`.
 */
export async function openLocalSocket({
  file,
  handler,
  log,
}: LocalSocketOptions): Promise<(waitMs: number) => Promise<void>> {
  const server = createListener((request, response) => {
    fromSocket.add(request);
    response.setHeader('connection', 'close');
    handler(request, response);
  });
  try {
    if (Buffer.byteLength(file) > socketPathBytesMax) {
      throw new Error(`its path is longer than the ${socketPathBytesMax} bytes that a socket's may have`);
    }
    rmSync(file, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(file, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(file, 0o600);
  } catch (error) {
    server.close();
    log.warn({ file, error: messageOf(error) }, 'there is no socket for commands on this machine: they need --url');
    return () => Promise.resolve();
  }
  return async (waitMs) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), waitMs);
    await closed;
    clearTimeout(timer);
  };
}
