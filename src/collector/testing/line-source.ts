import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf } from '../../base/index.ts';
import type { Collected, Collector } from '../contract.ts';
import { SourceError } from '../source-error.ts';
import { BreakableServer } from './breakable-server.ts';
import { gauge } from './sources.ts';

const request = 'read\n';
const lines = ['users 7', 'groups 3'];
const lastLine = 'end';

/** A real source for tests: a TCP server that answers each line of a request with lines of figures. */
export class LineSource extends BreakableServer {
  protected create(): Server {
    return createServer((socket) => {
      const closed = () => new Promise((resolve) => socket.once('close', resolve));
      const send = (isTruncated: boolean): void => {
        if (isTruncated) socket.end(`${lines[0]}\n`);
        else socket.write([...lines, lastLine, ''].join('\n'));
      };
      socket.on('data', () => void this.answer(closed, send));
    });
  }
}

/** What a faulty driver does wrong. */
export type Fault =
  | 'ignores an abort'
  | 'turns an error into zeros'
  | 'accepts a part'
  | 'blocks the event loop'
  | 'keeps a broken connection'
  | 'states its port'
  | 'states a secret'
  | 'states no class';

export const secret = 'correct horse';

/** Reads a `LineSource` over one connection, which it keeps open. With a `fault`, it breaks the contract. */
export class LineCollector implements Collector {
  readonly #port: number;
  readonly #fault: Fault | undefined;
  #socket: Socket | undefined;

  constructor({ port }: LineSource, fault?: Fault) {
    this.#port = port;
    this.#fault = fault;
  }

  async collect(signal: AbortSignal): Promise<Collected> {
    try {
      const kept = this.#socket;
      const answer = await this.#read(signal);
      // The source may have closed the kept connection, and this process did not know it yet.
      const isStale = kept !== undefined && kept === this.#socket && answer.length === 0 && !signal.aborted;
      return this.#figuresOf(isStale ? await this.#read(signal) : answer);
    } catch (error) {
      if (this.#fault === 'turns an error into zeros') return [gauge('users', 0), gauge('groups', 0)];
      throw error;
    }
  }

  close(): void {
    if (this.#fault !== 'ignores an abort') this.#socket?.destroy();
  }

  /** The lines of one answer. */
  async #read(signal: AbortSignal): Promise<string[]> {
    const socket = await this.#connected();
    const abort = () => void socket.destroy();
    if (this.#fault !== 'ignores an abort') signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    try {
      socket.write(request);
      const answer = answerOf(socket);
      if (this.#fault === 'blocks the event loop') await blockUntil(answer);
      return await answer;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #figuresOf(answer: readonly string[]): Collected {
    const [last] = answer.slice(-1);
    if (last === undefined) throw new SourceError('unreachable', 'expected an answer, got the end of the connection');
    if (last !== lastLine && this.#fault !== 'accepts a part') {
      throw new SourceError('invalid', `expected "${lastLine}" in the last line, got "${last}"`);
    }
    const figures = answer.filter((line) => line !== lastLine).map((line) => line.split(' '));
    return figures.map(([name = '', value]) => gauge(name, Number(value)));
  }

  async #connected(): Promise<Socket> {
    const kept = this.#socket;
    const isUsable = kept !== undefined && (!kept.destroyed || this.#fault === 'keeps a broken connection');
    if (isUsable) return kept;
    const socket = connect(this.#port, '127.0.0.1');
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw this.#unreachable(error, socket);
    }
    // The read in progress finds a broken connection closed.
    socket.on('error', () => undefined);
    this.#socket = socket;
    return socket;
  }

  #unreachable(cause: unknown, { localPort = performance.now() }: Socket): Error {
    const message = `expected a server at 127.0.0.1, got ${codeOf(cause)}`;
    if (this.#fault === 'states no class') return new Error(message, { cause });
    if (this.#fault === 'states its port') return new SourceError('unreachable', `${message} from ${localPort}`);
    if (this.#fault === 'states a secret') return new SourceError('unreachable', `${message} for ${secret}`);
    return new SourceError('unreachable', message, { cause });
  }
}

/** Collects an answer up to its last line, or as far as it comes. */
async function answerOf(socket: Socket): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  let text = '';
  const take = (chunk: Buffer): void => {
    text += chunk.toString();
    if (text.endsWith(`${lastLine}\n`)) end();
  };
  socket.on('data', take);
  socket.on('close', end);
  if (socket.destroyed) end();
  await promise;
  socket.off('data', take).off('close', end);
  return text.split('\n').slice(0, -1);
}

/** Blocks the event loop for most of the time until `work` has ended. */
async function blockUntil(work: Promise<unknown>): Promise<void> {
  const ended = work.then(() => true);
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!(await Promise.race([ended, nextTurn(false)]))) Atomics.wait(sleeper, 0, 0, 50);
}
