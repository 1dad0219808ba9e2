import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { assert, messageOf, TonnageError, type Log } from '../base/index.ts';
import { openedId, type Functions, type LogMessage, type Reply, type Request, type Start } from './protocol.ts';

/** The functions that a thread offers, and how it closes. */
export interface Service<F extends Functions> {
  readonly functions: F;
  /** Translates an error of a function into the one that its caller gets. Default: the error itself. */
  readonly explain?: (error: unknown) => unknown;
  close(): void | Promise<void>;
}

/**
 * Makes this worker thread serve a `Thread`.
 *
 * @param open receives the thread's data and a log that writes to the log of the process. If it throws, `Thread.open` and all
 *   earlier calls reject with its error. Functions start in the order of the calls; a call rejects with the error of its function.
 */
export async function serve<F extends Functions>(
  open: (data: unknown, log: Log) => Service<F> | Promise<Service<F>>,
): Promise<void> {
  assert(parentPort, 'this file runs as a worker thread only');
  const port = parentPort;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only thread.ts starts such a file, with this type of data
  const { data, failure } = workerData as Start;
  const replies = new Replies(port, failure);
  try {
    const service = await open(data, logThrough(port));
    port.on('message', (request: Request) => {
      if (request.kind === 'call') replies.settle(request.id, () => call(service, request));
      else void close(service, replies, request.id).finally(() => port.close());
    });
    replies.resolve(openedId, undefined);
  } catch (error) {
    replies.reject(openedId, error);
    port.close();
  }
}

function call(
  { functions, explain }: Service<Functions>,
  { name, input }: Extract<Request, { kind: 'call' }>,
): unknown {
  const work = functions[name];
  assert(work, `the thread has no function ${name}`);
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Thread.call accepts only the function's input type
    return work(input as never);
  } catch (error) {
    throw explain ? explain(error) : error;
  }
}

async function close(service: Service<Functions>, replies: Replies, id: number): Promise<void> {
  const closing = (async () => service.close())();
  replies.settle(id, () => closing);
  await replies.settled();
}

class Replies {
  readonly #port: MessagePort;
  readonly #failure: Start['failure'];
  readonly #running = new Set<Promise<void>>();

  constructor(port: MessagePort, failure: Start['failure']) {
    this.#port = port;
    this.#failure = failure;
  }

  /** Runs `work` and sends its result or error; sends it synchronously unless `work` returns a promise. */
  settle(id: number, work: () => unknown): void {
    try {
      const result = work();
      if (!(result instanceof Promise)) return this.resolve(id, result);
      const running: Promise<void> = result
        .then((value: unknown) => this.resolve(id, value))
        .catch((error: unknown) => this.reject(id, error))
        .finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (error) {
      this.reject(id, error);
    }
  }

  /** Waits until every running function has been replied to. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  resolve(id: number, result: unknown): void {
    this.#port.postMessage({ id, kind: 'result', result } satisfies Reply);
  }

  reject(id: number, error: unknown): void {
    const code = error instanceof TonnageError ? error.code : this.#failure;
    this.#port.postMessage({ id, kind: 'error', code, message: messageOf(error) } satisfies Reply);
  }
}

function logThrough(port: MessagePort): Log {
  const at =
    (level: keyof Log) =>
    (fields: object, message: string): void =>
      port.postMessage({ kind: 'log', level, fields, message } satisfies LogMessage);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
