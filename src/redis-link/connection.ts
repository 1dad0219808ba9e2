import { createClient, ErrorReply } from '@redis/client';
import { messageOf, TonnageError, type Clock } from '../base/index.ts';
import { RedisErrorReply, redact, unavailable } from './failure.ts';
import { toReply } from './reply.ts';
import type { RedisAddress, RedisReply, RedisTls } from './types.ts';

/** The other end of a connection: an address, or a Unix socket. */
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
 * One connection, from its handshake to its end. It never reconnects: a new connection is a new object. So a late
 * answer cannot be taken for that of a later command, and the npm client never sends a command again.
 */
export class Connection {
  /** The server's name for errors and the log, without credentials. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Resolves with the error that ended the connection. Never rejects. */
  readonly ended: Promise<TonnageError>;
  /** Slots in which a script has answered on this connection. WAIT is meaningful for these slots only. */
  readonly scriptedSlots = new Set<number>();
  readonly #client: Client;
  readonly #options: ConnectionOptions;
  readonly #resolveEnded: (error: TonnageError) => void;
  #failure: TonnageError | undefined;
  /** For each command in flight, oldest first: how long it may block in Redis on top of the time limit, in ms. */
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
   * Connects, authenticates, and checks that Redis answers commands.
   *
   * @param signal aborts connecting
   * @throws {TonnageError} `redis_refused` if Redis rejects the handshake, otherwise `redis_unavailable`
   */
  static async open(endpoint: Endpoint, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(endpoint, options);
    const stop = () => connection.close(unavailable(`connecting to Redis ${connection.name} was cancelled`));
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
      this.close(
        unavailable(`Redis ${this.name} did not finish the handshake in ${this.#options.connectTimeoutMs} ms`),
      );
    let handshake: NodeJS.Timeout | undefined;
    client.on('error', (error: unknown) => this.close(this.#failureOf(error)));
    client.on('end', () => this.close(unavailable(`the connection to Redis ${this.name} was closed`)));
    client.on('connect', () => {
      // `destroy` during dialling has no effect, so destroy again once there is a socket.
      if (this.#failure) client.destroy();
      else handshake = setTimeout(late, this.#options.connectTimeoutMs);
    });
    try {
      await client.connect();
      await this.#checkAnswers();
    } finally {
      clearTimeout(handshake);
    }
  }

  /** A server that needs a password, or is loading its data, accepts connections but rejects commands. */
  async #checkAnswers(): Promise<void> {
    try {
      await this.send(['PING']);
    } catch (error) {
      if (!(error instanceof RedisErrorReply && error.word === 'NOPERM')) throw error; // NOPERM: we are logged in
    }
  }

  /** Number of answered commands, including those of the handshake. */
  get answers(): number {
    return this.#answers;
  }

  /** Number of commands in flight. */
  get inFlight(): number {
    return this.#allowances.length;
  }

  /**
   * Sends one command and returns the reply. Commands of one turn of the event loop are sent together, in order.
   *
   * @param allowanceMs how long the command itself may block in Redis, on top of the time limit
   * @throws {RedisErrorReply} for an error reply; {TonnageError} if the connection ends before the reply
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
        throw new RedisErrorReply(this.#redacted(error.message));
      }
      throw this.#failure ?? this.#failureOf(error);
    }
    this.#answered();
    return toReply(value);
  }

  /** Sends one command to a node that is importing its slot (ASKING). */
  async sendAsking(args: readonly string[]): Promise<RedisReply> {
    const [, reply] = await Promise.all([this.send(['ASKING']), this.send(args)]);
    return reply;
  }

  #began(allowanceMs: number): void {
    this.#allowances.push(allowanceMs);
    if (this.#allowances.length === 1) this.#extendDeadline();
    this.#timer ??= setTimeout(() => this.#checkDeadline(), this.#deadline - this.#options.clock.monotonic());
  }

  #answered(): void {
    this.#answers += 1;
    this.#allowances.shift();
    this.#extendDeadline();
  }

  #extendDeadline(): void {
    const [allowance = 0] = this.#allowances;
    this.#deadline = this.#options.clock.monotonic() + this.#options.commandTimeoutMs + allowance;
  }

  /** One timer serves all commands. It is set again only after it has fired, which saves a timer per command. */
  #checkDeadline(): void {
    this.#timer = undefined;
    if (this.#failure || this.#allowances.length === 0) return;
    const restMs = this.#deadline - this.#options.clock.monotonic();
    if (restMs > 0) {
      this.#timer = setTimeout(() => this.#checkDeadline(), Math.ceil(restMs));
      return;
    }
    // If this process was busy, the answer may already be in the socket: read it first.
    const deadline = this.#deadline;
    setImmediate(() => {
      if (this.#allowances.length > 0 && this.#deadline === deadline) {
        this.close(unavailable(`Redis ${this.name} did not answer in ${this.#options.commandTimeoutMs} ms`));
      } else if (!this.#timer) {
        this.#checkDeadline();
      }
    });
  }

  /** Ends the connection. Commands in flight reject with `failure`. */
  close(failure: TonnageError): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#timer);
    this.#allowances.length = 0;
    this.#client.destroy();
    this.#resolveEnded(failure);
  }

  #failureOf(error: unknown): TonnageError {
    if (error instanceof TonnageError) return error;
    const message = this.#redacted(messageOf(error));
    if (error instanceof ErrorReply || error instanceof RedisErrorReply) {
      const code = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN) /.test(message) ? 'redis_unavailable' : 'redis_refused';
      return new TonnageError(code, `Redis ${this.name} refused the connection: ${message}`);
    }
    return unavailable(`no connection to Redis ${this.name}: ${message}`);
  }

  #redacted(message: string): string {
    return redact(message, [this.#options.password]);
  }
}

/** `host:port`, or the path of a socket. */
export function nameOf(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path;
  return `${endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/**
 * The npm client without its automatic behaviour: no reconnecting, no offline queue, no commands of its own. RESP2, in
 * which the replies of a script have the fewest types.
 */
function clientFor(endpoint: Endpoint, options: ConnectionOptions) {
  const { username, password, database, tls, connectTimeoutMs: connectTimeout } = options;
  const common = { connectTimeout, reconnectStrategy: false } as const;
  return createClient({
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandOptions: { timeout: 0 }, // it covers only the wait before sending
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    socket: tls && !('path' in endpoint) ? { ...common, ...endpoint, ...tls, tls: true } : { ...common, ...endpoint },
  });
}
