import { Worker } from 'node:worker_threads';
import { messageOf, TonnageError, type ErrorCode, type Log } from '../base/index.ts';
import { openedId, type Functions, type LogMessage, type Reply, type Request, type Start } from './protocol.ts';

export interface ThreadOptions {
  /** The module that calls `serve`. */
  readonly file: URL;
  /** The name in error messages, debuggers and profiles. */
  readonly name: string;
  /** Plain data for the module's `open`. */
  readonly data: unknown;
  /** The code for a thread that died, and for errors that are not `TonnageError`s. */
  readonly failure: ErrorCode;
  /** Receives the thread's log lines. Default: they are dropped. */
  readonly log?: Log;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One worker thread and its calls in flight. The first call starts the thread. If the thread dies, its calls reject
 * with the code `failure` and the next call starts a new thread, so a caller that retries succeeds.
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

  /** Starts the thread and waits until it is open. Rejects with the error of its `open`. */
  async open(): Promise<void> {
    if (this.#closed) throw this.#failed('is closed');
    this.#start();
    await this.#opened;
  }

  /**
   * Calls one of the thread's functions. Resolves with its result, or rejects with its error.
   *
   * @param transfer buffers in `input` that move to the thread instead of being copied
   */
  call<N extends keyof F & string>(
    name: N,
    input: Parameters<F[N]>[0],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<F[N]>>> {
    const result = this.#send({ kind: 'call', name, input }, transfer);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type argument states the functions that `file` serves
    return result as Promise<Awaited<ReturnType<F[N]>>>;
  }

  /**
   * Terminates a thread that takes too long and rejects its calls in flight. Resolves once the thread has exited. A
   * thread that runs native code exits only when that code returns.
   */
  async terminate(): Promise<void> {
    const worker = this.#worker;
    if (!worker) return;
    this.#forget(worker, this.#failed('was terminated'));
    await worker.terminate();
  }

  /** Lets the thread finish its calls, close and exit. Later calls reject. */
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
    // A failed start rejects the calls too, so this promise may stay without a handler.
    this.#opened.catch(() => undefined);
    worker.on('message', (message: Reply | LogMessage) => this.#receive(message));
    worker.on('error', (error) => this.#forget(worker, this.#failed(`failed: ${messageOf(error)}`)));
    worker.on('exit', () => this.#forget(worker, this.#failed('has exited')));
    return worker;
  }

  #receive(message: Reply | LogMessage): void {
    if (message.kind === 'log') return this.#options.log?.[message.level](message.fields, message.message);
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.kind === 'result') return waiting.resolve(message.result);
    const error = new TonnageError(message.code, message.message);
    // A thread that cannot open exits, so all waiting calls fail for the same reason.
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

/** The URL of module `name` in the folder of `url` (an `import.meta.url`): `.ts` in a checkout, `.js` in an installed package. */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`./${name}${url.slice(url.lastIndexOf('.'))}`, url);
}
