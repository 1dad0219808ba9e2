import { createClient, ErrorReply } from '@redis/client';
import { messageOf, TonnageError, type Clock } from '../base/index.ts';
import { RedisErrorReply, redact, unavailable } from './failure.ts';
import { toReply } from './reply.ts';
import type { RedisAddress, RedisReply, RedisTls } from './types.ts';

/** What a connection is made to: an address, or a Unix socket. */
export type Endpoint = RedisAddress | { readonly path: string };

export interface ConnectionOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly tls?: RedisTls | undefined;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

type Client = ReturnType<typeof clientFor>;

/**
 * One connection, from its greeting to its end. It never comes back: whoever wants another makes another, so an answer
 * that is late never meets a later request, and nothing that was sent here is ever sent elsewhere by the client.
 */
export class Connection {
  /** How errors name the other side: no credentials. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Settles, never rejects, with what ended the connection. */
  readonly ended: Promise<TonnageError>;
  /** Slots in which a script has answered here: for those, and no others, WAIT on this connection means something. */
  readonly scriptedSlots = new Set<number>();
  readonly #client: Client;
  readonly #options: ConnectionOptions;
  readonly #resolveEnded: (error: TonnageError) => void;
  #failure: TonnageError | undefined;
  /** What each command under way may take on top of the limit, the oldest first. */
  readonly #allowances: number[] = [];
  #deadline = 0;
  #answers = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(endpoint: Endpoint, options: ConnectionOptions) {
    this.endpoint = endpoint;
    this.name = nameOf(endpoint);
    this.#options = options;
    this.#client = clientFor(endpoint, options);
    const { promise, resolve } = Promise.withResolvers<TonnageError>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /**
   * Connects, authenticates and sees that commands are answered.
   *
   * @param signal gives up before it is connected
   * @throws {TonnageError} `redis_refused` when Redis turns the greeting down, else `redis_unavailable`
   */
  static async open(endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(endpoint, options);
    const stop = () => connection.close(unavailable(`connecting to Redis ${connection.name} was given up`));
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) stop();
      const failed = connection.ended.then((failure) => Promise.reject(failure));
      await Promise.race([failed, connection.#connect()]);
      return connection;
    } catch (error) {
      const failure = connection.#failureOf(error);
      connection.close(failure);
      throw failure;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #connect(): Promise<void> {
    const client = this.#client;
    const late = () =>
      this.#end(unavailable(`Redis ${this.name} did not greet in ${this.#options.connectTimeoutMs} ms`));
    let greeting: NodeJS.Timeout | undefined;
    client.on('error', (error: unknown) => this.#end(this.#failureOf(error)));
    client.on('end', () => this.#end(unavailable(`the connection to Redis ${this.name} was closed`)));
    client.on('connect', () => {
      // Told to end while it was dialling, the client goes on until it has a socket to close.
      if (this.#failure) client.destroy();
      else greeting = setTimeout(late, this.#options.connectTimeoutMs);
    });
    try {
      await client.connect();
      await this.#checkAnswers();
    } finally {
      clearTimeout(greeting);
    }
  }

  /** A server that wants a password, or loads its data, takes connections all the same. */
  async #checkAnswers(): Promise<void> {
    try {
      await this.send(['PING']);
    } catch (error) {
      if (!(error instanceof RedisErrorReply && error.word === 'NOPERM')) throw error; // it does know us
    }
  }

  /** Commands that were answered, the greeting's included. */
  get answers(): number {
    return this.#answers;
  }

  /** Commands that have no answer yet. */
  get inFlight(): number {
    return this.#allowances.length;
  }

  /**
   * Sends one command and answers what Redis does. Without waiting in between, commands go out together, in order.
   *
   * @param allowanceMs how long Redis may block on purpose, on top of the limit
   * @throws {RedisErrorReply} for an error reply; {TonnageError} when the connection ends before the answer
   */
  async send(args: readonly string[], allowanceMs = 0): Promise<RedisReply> {
    if (this.#failure) throw this.#failure;
    const answer = this.#client.sendCommand([...args]);
    this.#began(allowanceMs);
    let value: unknown;
    try {
      value = await answer;
    } catch (error) {
      if (error instanceof ErrorReply) {
        this.#answered();
        throw new RedisErrorReply(this.#clean(error.message));
      }
      throw this.#failure ?? this.#failureOf(error);
    }
    this.#answered();
    return toReply(value);
  }

  /** Sends one command to a node that is about to take its slot over. */
  async sendAsking(args: readonly string[]): Promise<RedisReply> {
    const [, reply] = await Promise.all([this.send(['ASKING']), this.send(args)]);
    return reply;
  }

  /** Ends the connection; commands under way are rejected with `reason`. */
  close(reason: TonnageError): void {
    this.#end(reason);
  }

  #began(allowanceMs: number): void {
    this.#allowances.push(allowanceMs);
    if (this.#allowances.length === 1) this.#postpone();
    this.#timer ??= setTimeout(() => this.#look(), this.#deadline - this.#options.clock.monotonic());
  }

  #answered(): void {
    this.#answers += 1;
    this.#allowances.shift();
    this.#postpone();
  }

  #postpone(): void {
    const [allowance = 0] = this.#allowances;
    this.#deadline = this.#options.clock.monotonic() + this.#options.commandTimeoutMs + allowance;
  }

  /** One timer looks after all commands; it is set anew only when it has rung, which spares one for each command. */
  #look(): void {
    this.#timer = undefined;
    if (this.#failure || this.#allowances.length === 0) return;
    const restMs = this.#deadline - this.#options.clock.monotonic();
    if (restMs > 0) {
      this.#timer = setTimeout(() => this.#look(), Math.ceil(restMs));
      return;
    }
    // After a long stretch of our own work the answer may be waiting to be read: what is there is read first.
    const deadline = this.#deadline;
    setImmediate(() => {
      if (this.#allowances.length > 0 && this.#deadline === deadline) {
        this.#end(unavailable(`Redis ${this.name} did not answer in ${this.#options.commandTimeoutMs} ms`));
      } else if (!this.#timer) {
        this.#look();
      }
    });
  }

  #end(failure: TonnageError): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#allowances.length = 0;
    this.#client.destroy();
    this.#resolveEnded(failure);
  }

  #failureOf(error: unknown): TonnageError {
    if (error instanceof TonnageError) return error;
    const message = this.#clean(messageOf(error));
    if (error instanceof ErrorReply || error instanceof RedisErrorReply) {
      const code = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN) /.test(message) ? 'redis_unavailable' : 'redis_refused';
      return new TonnageError(code, `Redis ${this.name} refused the connection: ${message}`);
    }
    return unavailable(`no connection to Redis ${this.name}: ${message}`);
  }

  #clean(message: string): string {
    return redact(message, [this.#options.password]);
  }
}

/** `host:port`, or the path of a socket. */
export function nameOf(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path;
  return `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/**
 * The npm client, with all that acts on its own turned off: no reconnecting, no queue while offline, no commands of its
 * own. RESP2, in which a script's answers have the fewest types.
 */
function clientFor(endpoint: Endpoint, options: ConnectionOptions) {
  const { username, password, database, tls, connectTimeoutMs: connectTimeout } = options;
  const common = { connectTimeout, reconnectStrategy: false } as const;
  return createClient({
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0 }, // its own covers only the wait before sending
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    socket: tls && !('path' in endpoint) ? { ...common, ...endpoint, ...tls, tls: true } : { ...common, ...endpoint },
  });
}
