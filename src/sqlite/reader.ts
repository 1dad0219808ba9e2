import { endsWithin, limits, TonnageError } from '../base/index.ts';
import type { Functions, Thread } from '../thread/index.ts';
import type { ProgramModule, ReadOptions, ResultOf, SqlValue } from './contract.ts';
import { createFileThread, type FileThread } from './file-thread.ts';
import type { FileOptions, Rows, WorkerFunctions } from './protocol.ts';

interface Query<F extends Functions> {
  /** Runs the query and settles the promise of its caller. */
  readonly run: (thread: FileThread<F>) => Promise<void>;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Runs queries one after the other. The deadline of a query starts at the call. node:sqlite cannot interrupt a running
 * query, so a query that misses its deadline rejects at once, its thread is abandoned, and the next query gets a new
 * thread. The old thread exits when SQLite returns.
 */
export class Reader<F extends Functions> {
  readonly #options: FileOptions;
  readonly #program: ProgramModule | undefined;
  #thread: FileThread<F>;
  #queue: Query<F>[] = [];
  #running: Query<F> | undefined;
  #abandoned = 0;

  constructor(options: FileOptions, program: ProgramModule | undefined) {
    this.#options = options;
    this.#program = program;
    this.#thread = createFileThread(options, program);
  }

  /** Runs one query and resolves with its rows. */
  read(sql: string, parameters: readonly SqlValue[] = [], options: ReadOptions = {}): Promise<Rows> {
    return this.#send((thread: Thread<WorkerFunctions>) => thread.call('read', { sql, parameters }), options);
  }

  /** Calls one function of the program and resolves with its result. */
  call<N extends keyof F & string>(name: N, input: Parameters<F[N]>[0], options: ReadOptions = {}): ResultOf<F, N> {
    return this.#send((thread) => thread.call(name, input), options);
  }

  #send<T>(call: (thread: FileThread<F>) => Promise<T>, options: ReadOptions): Promise<T> {
    const deadlineMs = options.deadlineMs ?? limits.queryMsMax;
    if (this.#abandoned >= limits.abandonedQueriesMax) return Promise.reject(tooManyAbandoned());
    return new Promise((resolve, reject) => {
      const query: Query<F> = {
        run: (thread) => call(thread).then(resolve, reject),
        reject,
        timer: setTimeout(() => this.#expire(query), deadlineMs),
      };
      query.timer.unref();
      this.#queue.push(query);
      this.#next();
    });
  }

  async close(): Promise<void> {
    const waiting = this.#queue;
    this.#queue = [];
    for (const { timer, reject } of waiting) {
      clearTimeout(timer);
      reject(new TonnageError('unavailable', 'shutting down'));
    }
    // A terminated thread exits only when SQLite returns, which may take minutes.
    if (this.#running) await endsWithin(limits.queryCloseMsMax, this.#thread.terminate());
    else await this.#thread.close();
  }

  #next(): void {
    if (this.#running) return;
    const query = this.#queue.shift();
    if (!query) return;
    this.#running = query;
    void query.run(this.#thread).finally(() => {
      clearTimeout(query.timer);
      if (this.#running !== query) return;
      this.#running = undefined;
      this.#next();
    });
  }

  #expire(query: Query<F>): void {
    query.reject(new TonnageError('query_deadline', 'the query missed its deadline and was cancelled'));
    this.#queue = this.#queue.filter((other) => other !== query);
    if (this.#running !== query) return;
    this.#running = undefined;
    this.#abandoned++;
    void this.#thread.terminate().finally(() => this.#abandoned--);
    this.#thread = createFileThread(this.#options, this.#program);
    this.#next();
  }
}

function tooManyAbandoned(): TonnageError {
  const message = `${limits.abandonedQueriesMax} queries that missed their deadline are still running; try again later`;
  return new TonnageError('unavailable', message);
}
