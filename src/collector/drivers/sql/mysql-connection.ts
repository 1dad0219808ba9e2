import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { createConnection, type Connection, type ConnectionOptions, type FieldPacket } from 'mysql2/promise';
import { endsWithin, limits } from '../../../base/index.ts';
import { SourceError } from '../../source-error.ts';
import type { MysqlAddress } from './dsn.ts';

/** Rows with their columns. Every value is the text that the server sends, or `null`. */
export interface MysqlTable {
  readonly fields: readonly { readonly name: string; readonly columnType?: number; readonly characterSet?: number }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** A connection to a MariaDB or MySQL. Once it has ended on either side, it stays ended. */
export class MysqlConnection {
  readonly #address: MysqlAddress;
  readonly #socket: Socket;
  readonly #connection: Connection;
  #isMariaDb = false;
  #isOpen = true;
  /** Whether the server may still work on a statement that nobody waits for. */
  #isBusy = false;

  private constructor(address: MysqlAddress, socket: Socket, connection: Connection) {
    this.#address = address;
    this.#socket = socket;
    this.#connection = connection;
    const end = () => {
      this.#isOpen = false;
    };
    // Without a listener, an error of an idle connection would end the process.
    connection.on('error', end);
    connection.on('end', end);
    socket.on('close', end);
  }

  /** Rejects with an error of the client library, or with the reason of `signal` as soon as that aborts. */
  static async open(address: MysqlAddress, signal: AbortSignal): Promise<MysqlConnection> {
    signal.throwIfAborted();
    const { host, port, socketPath } = address;
    const options = await optionsOf(address);
    const socket = socketPath === undefined ? connect({ host, port, noDelay: true }) : connect(socketPath);
    const cut = () => void socket.destroy(new Error('aborted'));
    signal.addEventListener('abort', cut);
    try {
      const connection = new MysqlConnection(address, socket, await createConnection({ ...options, stream: socket }));
      const { rows } = await connection.query('SELECT @@version', signal);
      connection.#isMariaDb = rows[0]?.[0]?.includes('MariaDB') === true;
      return connection;
    } catch (thrown) {
      socket.destroy();
      signal.throwIfAborted();
      throw thrown;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  /** Whether neither side has ended the connection, as far as is known. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How many bytes the server has sent. */
  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  /** The statement that limits the time of those after it. */
  limitOf(timeoutMs: number): string {
    const seconds = Math.ceil(timeoutMs / 1_000);
    const statements = this.#isMariaDb
      ? `max_statement_time = ${timeoutMs / 1_000}`
      : `max_execution_time = ${timeoutMs}`;
    return `SET SESSION ${statements}, SESSION lock_wait_timeout = ${seconds}`;
  }

  /** The rows of one statement. Several statements in one text are an error of the server. Rejects as `open`. */
  async query(sql: string, signal: AbortSignal): Promise<MysqlTable> {
    signal.throwIfAborted();
    const cut = () => this.#socket.destroy();
    signal.addEventListener('abort', cut);
    this.#isBusy = true;
    try {
      const [rows, fields] = await this.#connection.query<never>({ sql, rowsAsArray: true });
      this.#isBusy = false;
      return tableOf(rows, fields);
    } catch (thrown) {
      signal.throwIfAborted();
      this.#isBusy = false;
      throw thrown;
    } finally {
      signal.removeEventListener('abort', cut);
    }
  }

  /** Ends the connection. A server does not notice that a client has gone while it works, so it is told. Never rejects. */
  async end(): Promise<void> {
    this.#isOpen = false;
    if (this.#isBusy) {
      this.#socket.destroy();
      await endsWithin(limits.databaseEndMsMax, this.#kill()).catch(() => false);
      return;
    }
    await endsWithin(limits.databaseEndMsMax, this.#connection.end()).catch(() => false);
    this.#socket.destroy();
  }

  /** Ends the connection from the side of the server. */
  async #kill(): Promise<void> {
    const other = await createConnection(await optionsOf(this.#address));
    other.on('error', () => undefined);
    try {
      await other.query(`KILL ${this.#connection.threadId}`);
    } finally {
      other.destroy();
    }
  }
}

async function optionsOf(address: MysqlAddress): Promise<ConnectionOptions> {
  const { host, port, socketPath, user, password, database, tls } = address;
  return {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(tls !== 'off' && { ssl: await tlsOf(address) }),
    connectTimeout: limits.sourceReadMsMax,
    multipleStatements: false,
    flags: ['-LOCAL_FILES'],
    typeCast(field) {
      if (field.type !== 'BIT') return field.string();
      const bytes = field.buffer();
      return bytes === null ? null : BigInt(`0x${bytes.toString('hex') || '0'}`).toString();
    },
  };
}

/** Throws `SourceError` (`failed`) if the file of the authorities cannot be read. */
async function tlsOf({ tls, caFile }: MysqlAddress) {
  const isVerified = tls === 'verified';
  const verification = { rejectUnauthorized: isVerified, verifyIdentity: isVerified };
  if (caFile === undefined) return verification;
  try {
    return { ...verification, ca: await readFile(caFile, 'utf8') };
  } catch {
    throw new SourceError('failed', 'expected a readable file of certificates (ssl-ca)');
  }
}

function tableOf(rows: unknown, fields: readonly FieldPacket[] | undefined): MysqlTable {
  return { fields: fields ?? [], rows: Array.isArray(rows) ? (rows as MysqlTable['rows']) : [] };
}
