import { endsWithin, limits, messageOf, pause, TonnageError, type Log } from '../base/index.ts';
import type { Connection } from './connection.ts';
import { unavailable } from './failure.ts';

export interface RedisNodeOptions {
  /** The name in errors and in the log: an address, or the Sentinels' name of the primary. */
  readonly name: string;
  /** Opens one connection. Called again when it fails, and when the connection ends. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly log: Log;
  /** Called when a connection opens or ends. */
  readonly onChange?: () => void;
}

const firstPauseMs = 50;

/** Keeps one server connected: connects in the background, and retries with growing pauses. */
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

  /** The current connection. @throws {TonnageError} if there is none */
  get connection(): Connection {
    if (!this.#connection) throw this.#failure;
    return this.#connection;
  }

  /** Whether a call of `ready` is waiting. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  /** The connection; waits up to `waitMs` for one. @throws {TonnageError} if there is still none */
  async ready(waitMs: number): Promise<Connection> {
    if (this.#connection || this.#closed) return this.connection;
    this.#waiting += 1;
    await endsWithin(waitMs, this.#next.promise);
    this.#waiting -= 1;
    return this.connection;
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
      // Pauses grow until a connection answers a command: a connection that ends at once counts as a failure.
      if (await this.#connectOnce()) pauseMs = firstPauseMs;
      await pause(pauseMs, this.#abort.signal);
      pauseMs = Math.min(2 * pauseMs, limits.redisReconnectMsMax);
    }
    this.#failure = this.#closed;
    this.#notify();
  }

  /** Connects, and waits for the end of the connection. Returns whether the connection answered commands. */
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
    const isNew = failure.message !== this.#failure.message;
    this.#failure = failure;
    if (isNew && !this.#closed) {
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
