import { Worker } from 'node:worker_threads';
import { assert, messageOf, TonnageError } from '../base/index.ts';
import type { SqlValue } from './contract.ts';
import { openedId, type Reply, type Request, type WorkerOptions } from './protocol.ts';

/** A request without its id, which the lane gives. */
export type Ask = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** The worker is the same file in a checkout (`.ts`) and in an installed package (`.js`). */
const workerFile = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/**
 * One worker thread and the requests that it owes an answer. A worker that dies rejects them with `sqlite_failed`;
 * the next request starts a new one, so that a caller who tries again gets through.
 */
export class Lane {
  readonly #options: WorkerOptions;
  #worker: Worker | undefined;
  #opened: Promise<Reply> | undefined;
  #waiting = new Map<number, Waiting>();
  #lastId = openedId;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Starts the worker and waits until it has opened the file. */
  async open(): Promise<void> {
    this.#start();
    await this.#opened;
  }

  /** Sends one request; resolves with its reply, rejects with the error that the worker told. */
  ask(request: Ask, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    const worker = this.#start();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id } satisfies Request, [...transfer]);
    });
  }

  /**
   * Gives the worker up; what it still owed is rejected. For a reader that takes too long. Resolves once the worker
   * has really ended, which is not before SQLite has come back from what it is doing.
   */
  async abandon(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#forget(worker, new TonnageError('sqlite_failed', 'the database worker was ended'));
    await worker.terminate();
  }

  async close(): Promise<void> {
    if (!this.#worker) return;
    const worker = this.#worker;
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    await this.ask({ kind: 'close' });
    await exited;
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(workerFile, { workerData: this.#options, name: `sqlite-${this.#options.mode}` });
    this.#worker = worker;
    this.#opened = new Promise((resolve, reject) => this.#waiting.set(openedId, { resolve, reject }));
    // Whoever asks before it is open hears of a failure by the request; nobody needs to wait for the opening itself.
    this.#opened.catch(() => undefined);
    worker.on('message', (reply: Reply) => this.#settle(reply));
    worker.on('error', (error) => this.#forget(worker, new TonnageError('sqlite_failed', messageOf(error))));
    worker.on('exit', () => this.#forget(worker, new TonnageError('sqlite_failed', 'the database worker has ended')));
    return worker;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    if (!('error' in reply)) return waiting.resolve(reply);
    const error = new TonnageError(reply.error.code, reply.error.message);
    // A worker that could not open its file ends; the requests behind the opening have the same reason.
    if (reply.id === openedId) this.#rejectAll(error);
    waiting.reject(error);
  }

  #forget(worker: Worker, error: TonnageError): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#rejectAll(error);
  }

  #rejectAll(error: TonnageError): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const { reject } of waiting.values()) reject(error);
  }
}

/** What a transaction was answered with. */
export function changesOf(reply: Reply): readonly number[] {
  assert('changes' in reply, 'the database worker answered a transaction with something else');
  return reply.changes;
}

/** What a call of the program was answered with. */
export function resultOf(reply: Reply): unknown {
  assert('result' in reply, 'the database worker answered a call with something else');
  return reply.result;
}

/** What a query was answered with. */
export function rowsOf(reply: Reply): readonly (readonly SqlValue[])[] {
  assert('rows' in reply, 'the database worker answered a query with something else');
  return reply.rows;
}
