import { SourceError } from './source-error.ts';

/** A connection to a database. Once it has ended on either side, it stays ended. */
interface EndableConnection {
  /** Whether neither side has ended it, as far as is known. */
  readonly isOpen: boolean;
  /** Never rejects. */
  end(): Promise<void>;
}

interface KeptConnectionOptions<C> {
  open(signal: AbortSignal): Promise<C>;
  /** Whether an error came from the connection, so that the same work may succeed on another one. */
  isLost(thrown: unknown): boolean;
}

/** At most one connection, which stays open between the reads of a source. Reads must not overlap. */
export class KeptConnection<C extends EndableConnection> {
  readonly #options: KeptConnectionOptions<C>;
  #connection: C | undefined;
  #isClosed = false;

  constructor(options: KeptConnectionOptions<C>) {
    this.#options = options;
  }

  /**
   * Runs `work`, and rejects as it does. A failure ends the connection, so that it never stays within a transaction. A
   * connection that ended while it was idle is replaced at once: `work` then runs again.
   */
  async use<T>(work: (connection: C) => Promise<T>, signal: AbortSignal): Promise<T> {
    const isReused = this.#connection?.isOpen === true;
    try {
      return await this.#useOnce(work, signal);
    } catch (thrown) {
      if (!isReused || signal.aborted || this.#isClosed || !this.#options.isLost(thrown)) throw thrown;
    }
    return this.#useOnce(work, signal);
  }

  /** Ends the connection. Later work fails. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end();
  }

  async #useOnce<T>(work: (connection: C) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await work(await this.#connected(signal));
    } catch (thrown) {
      await this.#end();
      throw thrown;
    }
  }

  async #connected(signal: AbortSignal): Promise<C> {
    if (this.#connection?.isOpen === true) return this.#connection;
    await this.#end();
    const connection = await this.#options.open(signal);
    this.#connection = connection;
    if (this.#isClosed) throw new SourceError('failed', 'the source was closed');
    return connection;
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
  }
}
