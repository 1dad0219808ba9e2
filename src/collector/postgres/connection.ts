import { Socket } from 'node:net';
import { Client } from 'pg';
import { codeOf, endsWithin, limits } from '../../base/index.ts';
import { SourceError } from '../source-error.ts';

/** Leaves every value as the text that the server sends. */
const texts = { getTypeParser: () => (value: string) => value };

/** The values of a row as the server sends them, and `null`. */
export type TextRow = readonly (string | null)[];

/** Rows with their columns. */
export interface TextTable {
  readonly rows: readonly TextRow[];
  /** With the object id of the type of each column. */
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** A connection to a PostgreSQL database. Once it has ended on either side, it stays ended. */
export class Connection {
  readonly #socket = new Socket();
  readonly #client: Client;
  #isOpen = false;

  private constructor(dsn: string) {
    this.#client = new Client({
      connectionString: dsn,
      fallback_application_name: 'tonnage',
      keepAlive: true,
      types: texts,
      stream: () => this.#socket,
    });
    const end = () => {
      this.#isOpen = false;
    };
    // Without a listener, an error of an idle connection would end the process.
    this.#client.on('error', end);
    this.#client.on('end', end);
  }

  /** Rejects with an error of the client library, or with the reason of `signal` as soon as that aborts. */
  static async open(dsn: string, signal: AbortSignal): Promise<Connection> {
    const connection = Connection.#create(dsn);
    await connection.#unlessAborted(signal, () => connection.#client.connect());
    connection.#isOpen = true;
    return connection;
  }

  /** Throws `SourceError` (`failed`) if the DSN names a file, such as a certificate, that cannot be read. */
  static #create(dsn: string): Connection {
    try {
      return new Connection(dsn);
    } catch (thrown) {
      throw new SourceError('failed', `expected a usable DSN, got ${codeOf(thrown) ?? 'an invalid one'}`);
    }
  }

  /** Whether neither side has ended the connection, as far as is known. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs statements without results. Rejects as `open`. */
  async execute(statements: string, signal: AbortSignal): Promise<void> {
    await this.#unlessAborted(signal, () => this.#client.query(statements));
  }

  /** The rows of one statement. Rejects as `open`. */
  async query(statement: string, values: readonly string[], signal: AbortSignal): Promise<readonly TextRow[]> {
    const query = { text: statement, values: [...values], rowMode: 'array' } as const;
    const { rows } = await this.#unlessAborted(signal, () => this.#client.query<(string | null)[]>(query));
    return rows;
  }

  /**
   * The rows of one statement with their columns. Several statements in one text are an error of the server. Rejects as
   * `open`.
   */
  async table(statement: string, signal: AbortSignal): Promise<TextTable> {
    const query = { text: statement, rowMode: 'array', queryMode: 'extended' } as const;
    return this.#unlessAborted(signal, () => this.#client.query<(string | null)[]>(query));
  }

  /** How many bytes the server has sent. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** Ends the connection and cuts it if the server does not follow. Never rejects. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await endsWithin(limits.databaseEndMsMax, this.#client.end()).catch(() => false);
    this.#socket.destroy();
  }

  /** Cuts the connection when `signal` aborts: the work then rejects, and the server cancels its statement. */
  async #unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const cut = () => this.#socket.destroy();
    signal.addEventListener('abort', cut);
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      throw thrown;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }
}
