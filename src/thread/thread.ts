import { Worker } from 'node:worker_threads';
import { messageOf, TonnageError, type ErrorCode, type Log } from '../base/index.ts';
import { openedId, type Functions, type LogMessage, type Reply, type Request, type Start } from './protocol.ts';

export interface ThreadOptions {
  /** The module that calls `serve`. */
  readonly file: URL;
  /** What debuggers and profiles call it. */
  readonly name: string;
  /** What its `open` is given: plain data. */
  readonly data: unknown;
  /** The code of errors that have none of their own: the thread died, or something went wrong in it. */
  readonly failure: ErrorCode;
  /** Where lines go that the thread logs. Default: nowhere. */
  readonly log?: Log;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One worker thread and the questions that it owes an answer, which is started by the first of them. One that dies rejects
 * them with the code `failure`; the next question starts a new one, so that a caller who tries again gets through.
 */
export class Thread<F extends Functions> {
  readonly #options: ThreadOptions;
  #worker: Worker | undefined;
  #opened: Promise<unknown> | undefined;
  #waiting = new Map<number, Waiting>();
  #lastId = openedId;
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts the thread and waits until it is open; rejects with the error that it told. */
  async open(): Promise<void> {
    if (this.#closed) throw this.#failed('is closed');
    this.#start();
    await this.#opened;
  }

  /**
   * Asks one of its functions; resolves with its answer, rejects with the error that it told.
   *
   * @param transfer buffers in `input` that are handed over instead of copied
   */
  ask<N extends keyof F & string>(
    name: N,
    input: Parameters<F[N]>[0],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<F[N]>>> {
    const answer = this.#send({ kind: 'ask', name, input }, transfer);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever names the file vouches for the functions that it serves
    return answer as Promise<Awaited<ReturnType<F[N]>>>;
  }

  /**
   * Gives the thread up; what it still owed is rejected. For one that takes too long. Resolves once it has really ended,
   * which is not before it has come back from what it is doing outside JavaScript.
   */
  async abandon(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#forget(worker, this.#failed('was ended'));
    await worker.terminate();
  }

  /** Has it finish what it was asked, close, and end; what is asked afterwards is rejected. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (!worker || this.#closed) {
      this.#closed = true;
      return;
    }
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const closed = this.#send({ kind: 'close' });
    this.#closed = true;
    await closed;
    await exited;
  }

  #send(request: RequestWithoutId, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#failed('is closed'));
    const worker = this.#start();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      worker.postMessage({ ...request, id } satisfies Request, [...transfer]);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const { file, name, data, failure } = this.#options;
    const worker = new Worker(file, { workerData: { data, failure } satisfies Start, name });
    this.#worker = worker;
    this.#opened = new Promise((resolve, reject) => this.#waiting.set(openedId, { resolve, reject }));
    // Whoever asks before it is open hears of a failure by the question; nobody needs to wait for the opening itself.
    this.#opened.catch(() => undefined);
    worker.on('message', (message: Reply | LogMessage) => this.#receive(message));
    worker.on('error', (error) => this.#forget(worker, this.#failed(`failed: ${messageOf(error)}`)));
    worker.on('exit', () => this.#forget(worker, this.#failed('has ended')));
    return worker;
  }

  #receive(message: Reply | LogMessage): void {
    if (message.kind === 'log') return this.#options.log?.[message.level](message.fields, message.message);
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.kind === 'result') return waiting.resolve(message.result);
    const error = new TonnageError(message.code, message.message);
    // A thread that could not open ends; the questions behind the opening have the same reason.
    if (message.id === openedId) this.#rejectAll(error);
    waiting.reject(error);
  }

  #failed(what: string): TonnageError {
    return new TonnageError(this.#options.failure, `the thread ${this.#options.name} ${what}`);
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

type RequestWithoutId = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

/** A module beside the one whose `import.meta.url` this is: `.ts` in a checkout, `.js` in an installed package. */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`./${name}${url.slice(url.lastIndexOf('.'))}`, url);
}
