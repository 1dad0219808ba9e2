import { endsWithin, limits, messageOf, pause, TonnageError, type Log } from '../base/index.ts';
import type { Connection } from './connection.ts';
import { unavailable } from './failure.ts';

export interface RedisNodeOptions {
  /** How errors and the log call it: an address, or the name that Sentinels know. */
  readonly name: string;
  /** Makes one connection; is called again, for ever, when it fails or when the connection has ended. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly log: Log;
  /** Is told when a connection has come or gone. */
  readonly onChange?: () => void;
}

const firstPauseMs = 50;

/** A server that is to be connected always: connects in the background, and again with longer pauses when that fails. */
export class RedisNode {
  readonly name: string;
  readonly #options: RedisNodeOptions;
  #connection: Connection | undefined;
  #failure: TonnageError;
  #closed: TonnageError | undefined;
  readonly #loop: Promise<void>;
  readonly #abort = new AbortController();
  #waiting = 0;
  /** Resolves at the next connection, and when the node is closed. */
  #next = Promise.withResolvers<void>();

  constructor(options: RedisNodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#failure = unavailable(`not connected to Redis ${options.name} yet`);
    this.#loop = this.#run();
  }

  /** Why there is no connection; undefined while there is one. */
  get failure(): TonnageError | undefined {
    return this.#connection ? undefined : this.#failure;
  }

  /** The connection as it stands. @throws {TonnageError} at once, while there is none */
  get connection(): Connection {
    if (!this.#connection) throw this.#failure;
    return this.#connection;
  }

  /** Whether somebody waits in `ready`. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  /** The connection, waiting up to `waitMs` for one. */
  async ready(waitMs: number): Promise<Connection> {
    if (this.#connection || this.#closed) return this.connection;
    this.#waiting += 1;
    await endsWithin(waitMs, this.#next.promise);
    this.#waiting -= 1;
    return this.connection;
  }

  /** Ends this connection, if it is still the one in use: another is made. */
  drop(connection: Connection, reason: TonnageError): void {
    if (connection === this.#connection) connection.close(reason);
  }

  async close(): Promise<void> {
    this.#closed = unavailable(`the connection to Redis ${this.name} was closed`);
    this.#connection?.close(this.#closed);
    this.#abort.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.#closed) {
      // Pauses grow until a connection has done some work: one that ends at once is no better than none.
      if (await this.#connectOnce()) pauseMs = firstPauseMs;
      await pause(pauseMs, this.#abort.signal);
      pauseMs = Math.min(2 * pauseMs, limits.redisReconnectMsMax);
    }
    this.#failure = this.#closed;
    this.#notify();
  }

  /** From connecting to the end of the connection; answers whether it was of use. */
  async #connectOnce(): Promise<boolean> {
    try {
      const connection = await this.#options.open(this.#abort.signal);
      if (this.#closed) {
        connection.close(this.#closed);
        return false;
      }
      this.#options.log.info({ redis: this.name, address: connection.name }, 'connected to Redis');
      this.#connection = connection;
      this.#notify();
      const failure = await connection.ended;
      this.#connection = undefined;
      this.#fail(failure);
      return connection.answers > 1;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    const failure = error instanceof TonnageError ? error : unavailable(`Redis ${this.name}: ${messageOf(error)}`);
    const isNews = failure.message !== this.#failure.message;
    this.#failure = failure;
    if (isNews && !this.#closed) {
      this.#options.log.warn(
        { redis: this.name, code: failure.code, error: failure.message },
        'no connection to Redis',
      );
    }
    this.#options.onChange?.();
  }

  #notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    this.#options.onChange?.();
  }
}
