import { limits, TonnageError } from '../base/index.ts';
import type { ReadOptions, SqlValue } from './contract.ts';
import { createLane, type Lane } from './lane.ts';
import type { Rows, WorkerOptions } from './protocol.ts';

interface Query {
  /** Runs it, and settles what its caller waits for. */
  readonly run: (lane: Lane) => Promise<void>;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Queries, one after the other, each under a deadline that counts from the call. SQLite cannot be interrupted from
 * outside here, so a query over its deadline is answered at once, its worker left behind, and the next query
 * gets a new worker; the old one ends when SQLite comes back to it.
 */
export class Reader {
  readonly #options: WorkerOptions;
  #lane: Lane;
  #queue: Query[] = [];
  #running: Query | undefined;
  #abandoned = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#lane = createLane(options);
  }

  /** Runs one query and answers its rows. */
  read(sql: string, parameters: readonly SqlValue[], options: ReadOptions): Promise<Rows> {
    return this.#send((lane) => lane.ask('read', { sql, parameters }), options);
  }

  /** Runs one function of the program and answers what it answers. */
  ask(name: string, input: unknown, options: ReadOptions): Promise<unknown> {
    return this.#send((lane) => lane.ask('call', { name, input }), options);
  }

  #send<T>(ask: (lane: Lane) => Promise<T>, options: ReadOptions): Promise<T> {
    const deadlineMs = options.deadlineMs ?? limits.queryMsMax;
    if (this.#abandoned >= limits.abandonedQueriesMax) return Promise.reject(tooManyAbandoned());
    return new Promise((resolve, reject) => {
      const query: Query = {
        run: (lane) => ask(lane).then(resolve, reject),
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
    // A query ends only when SQLite comes back from it, which may take minutes.
    if (this.#running) await atMost(limits.queryCloseMsMax, this.#lane.abandon());
    else await this.#lane.close();
  }

  #next(): void {
    if (this.#running) return;
    const query = this.#queue.shift();
    if (!query) return;
    this.#running = query;
    void query.run(this.#lane).finally(() => {
      clearTimeout(query.timer);
      if (this.#running !== query) return;
      this.#running = undefined;
      this.#next();
    });
  }

  #expire(query: Query): void {
    query.reject(new TonnageError('query_deadline', 'the query was given up at its deadline'));
    this.#queue = this.#queue.filter((other) => other !== query);
    if (this.#running !== query) return;
    this.#running = undefined;
    this.#abandoned++;
    void this.#lane.abandon().finally(() => this.#abandoned--);
    this.#lane = createLane(this.#options);
    this.#next();
  }
}

async function atMost(waitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function tooManyAbandoned(): TonnageError {
  const message = `${limits.abandonedQueriesMax} queries over their deadline are still running; try again later`;
  return new TonnageError('unavailable', message);
}
