import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { unsentBytes } from '../gateway/index.ts';
import { connectionKey, readKernelQueues, type KernelQueues } from './kernel-queues.ts';

export interface SilentReaderOptions {
  /** How long a client may take nothing of an answer that waits for it, in milliseconds. */
  readonly silenceMs: number;
  /** Called with the answer of a client that is disconnected for that. */
  readonly onSilent: (answer: ServerResponse) => void;
}

/** How far a client has read, and how many looks have found it there again. */
interface Progress {
  readonly takenBytes: number;
  readonly looks: number;
}

/** Looks at the clients within the time that one may be silent. One that is silent leaves within one more. */
const looksMax = 2;

/**
 * Disconnects clients that take nothing of their answers for a while, so that they do not hold connections, files and
 * memory for ever. A client that reads slowly is served to the end, and so is one that waits for us.
 */
export function disconnectSilentReaders(
  server: Server,
  answerOn: (socket: Socket) => ServerResponse | undefined,
  options: SilentReaderOptions,
): void {
  const readers = new Map<Socket, Progress | undefined>();
  server.on('connection', (socket: Socket) => {
    readers.set(socket, undefined);
    socket.once('close', () => readers.delete(socket));
  });
  const look = async (): Promise<void> => {
    const isAnyWaiting = [...readers.keys()].some(isWaitingForReader);
    const queues: KernelQueues = isAnyWaiting ? await readKernelQueues() : new Map<string, number>();
    for (const [socket, before] of readers) {
      const progress = progressOf(socket, before, queues);
      readers.set(socket, progress);
      if (progress === undefined || progress.looks < looksMax) continue;
      const answer = answerOn(socket);
      if (answer !== undefined) options.onSilent(answer);
      socket.resetAndDestroy();
    }
  };
  server.on('listening', () => {
    const timer = setInterval(() => void look(), options.silenceMs / looksMax).unref();
    server.once('close', () => clearInterval(timer));
  });
}

function isWaitingForReader(socket: Socket): boolean {
  return !socket.destroyed && unsentBytes(socket, null) > 0;
}

/** How far a client has read now; `undefined` for one that nothing waits for. */
function progressOf(socket: Socket, before: Progress | undefined, queues: KernelQueues): Progress | undefined {
  if (!isWaitingForReader(socket)) return undefined;
  const takenBySystem = socket.bytesWritten - unsentBytes(socket, null);
  const takenBytes = takenBySystem - (queues.get(connectionKey(socket)) ?? 0);
  return { takenBytes, looks: before?.takenBytes === takenBytes ? before.looks + 1 : 0 };
}
