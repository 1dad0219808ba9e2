import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { unsentBytes } from '../gateway/index.ts';
import { connectionKey, readKernelQueues, type KernelQueues } from './kernel-queues.ts';

export interface SilentReaderOptions {
  /** Milliseconds for which a client may read nothing of a response that waits for it. */
  readonly silenceMs: number;
  /** Called with the response of a client that is disconnected. */
  readonly onSilent: (response: ServerResponse) => void;
}

/** How much a client has read, and the number of checks since then. */
interface Progress {
  readonly readBytes: number;
  readonly checks: number;
}

/** Checks per `silenceMs`. A silent client is disconnected after that many checks without progress. */
const checksMax = 2;

/**
 * Disconnects clients that read nothing of their response for `silenceMs`, so that they do not hold connections, files
 * and memory for ever. A client that reads slowly, or that waits for the server, is never disconnected.
 */
export function disconnectSilentReaders(
  server: Server,
  responseOn: (socket: Socket) => ServerResponse | undefined,
  options: SilentReaderOptions,
): void {
  const readers = new Map<Socket, Progress | undefined>();
  server.on('connection', (socket: Socket) => {
    readers.set(socket, undefined);
    socket.once('close', () => readers.delete(socket));
  });
  const check = async (): Promise<void> => {
    const isAnyWaiting = [...readers.keys()].some(isWaitingForReader);
    const queues: KernelQueues = isAnyWaiting ? await readKernelQueues() : new Map<string, number>();
    for (const [socket, before] of readers) {
      const progress = progressOf(socket, before, queues);
      readers.set(socket, progress);
      if (progress === undefined || progress.checks < checksMax) continue;
      const response = responseOn(socket);
      if (response !== undefined) options.onSilent(response);
      socket.resetAndDestroy();
    }
  };
  server.on('listening', () => {
    const timer = setInterval(() => void check(), options.silenceMs / checksMax).unref();
    server.once('close', () => clearInterval(timer));
  });
}

function isWaitingForReader(socket: Socket): boolean {
  return !socket.destroyed && unsentBytes(socket, null) > 0;
}

/** Returns the client's progress; `undefined` if no data waits for it. */
function progressOf(socket: Socket, before: Progress | undefined, queues: KernelQueues): Progress | undefined {
  if (!isWaitingForReader(socket)) return undefined;
  const passedToKernel = socket.bytesWritten - unsentBytes(socket, null);
  const readBytes = passedToKernel - (queues.get(connectionKey(socket)) ?? 0);
  return { readBytes, checks: before?.readBytes === readBytes ? before.checks + 1 : 0 };
}
