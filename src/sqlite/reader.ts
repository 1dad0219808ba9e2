import { limits, TonnageError } from '../base/index.ts';
import type { ReadOptions, SqlValue } from './contract.ts';
import { Lane, resultOf, rowsOf, type Ask } from './lane.ts';
import type { Reply, WorkerOptions } from './protocol.ts';

type Rows = readonly (readonly SqlValue[])[];

interface Query {
  readonly request: Ask;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout;
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
    this.#lane = new Lane(options);
  }

  /** Runs one query and answers its rows. */
  async read(sql: string, parameters: readonly SqlValue[], options: ReadOptions): Promise<Rows> {
    return rowsOf(await this.#send({ kind: 'read', sql, parameters }, options));
  }

  /** Runs one function of the program and answers what it answers. */
  async ask(name: string, input: unknown, options: ReadOptions): Promise<unknown> {
    return resultOf(await this.#send({ kind: 'call', name, input }, options));
  }

  #send(request: Ask, options: ReadOptions): Promise<Reply> {
    const deadlineMs = options.deadlineMs ?? limits.queryMsMax;
    if (this.#abandoned >= limits.abandonedQueriesMax) return Promise.reject(tooManyAbandoned());
    return new Promise((resolve, reject) => {
      const query: Query = {
        request,
        resolve,
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
    for (const query of waiting) finish(query, () => query.reject(new TonnageError('unavailable', 'shutting down')));
    if (this.#running) await this.#lane.abandon();
    else await this.#lane.close();
  }

  #next(): void {
    if (this.#running) return;
    const query = this.#queue.shift();
    if (!query) return;
    this.#running = query;
    this.#lane
      .ask(query.request)
      .then((reply) => finish(query, () => query.resolve(reply)))
      .catch((error: unknown) => finish(query, () => query.reject(error)))
      .finally(() => {
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
    this.#lane = new Lane(this.#options);
    this.#next();
  }
}

function tooManyAbandoned(): TonnageError {
  const message = `${limits.abandonedQueriesMax} queries over their deadline are still running; try again later`;
  return new TonnageError('unavailable', message);
}

function finish(query: Query, settle: () => void): void {
  clearTimeout(query.timer);
  settle();
}
