import { limits, TonnageError } from '../base/index.ts';
import type { ReadOptions, SqlValue } from './contract.ts';
import { Lane, rowsOf } from './lane.ts';
import type { WorkerOptions } from './protocol.ts';

type Rows = readonly (readonly SqlValue[])[];

interface Query {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  readonly resolve: (rows: Rows) => void;
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

  read(sql: string, parameters: readonly SqlValue[], options: ReadOptions): Promise<Rows> {
    const deadlineMs = options.deadlineMs ?? limits.queryMsMax;
    if (this.#abandoned >= limits.abandonedQueriesMax) return Promise.reject(tooManyAbandoned());
    return new Promise((resolve, reject) => {
      const query: Query = {
        sql,
        parameters,
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
      .ask({ kind: 'read', sql: query.sql, parameters: query.parameters })
      .then((reply) => finish(query, () => query.resolve(rowsOf(reply))))
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
