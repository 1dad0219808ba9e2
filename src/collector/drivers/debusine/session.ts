import { KeptConnection } from '../../kept-connection.ts';
import { Connection } from '../../postgres/connection.ts';
import { databaseError, isConnectionLost } from '../../postgres/database-error.ts';
import type { Query, Row } from './family.ts';
import { subjectOf } from './subject.ts';
import { hasSummary } from './summary/use.ts';

/** The URL of the database, which contains a password. */
interface Dsn {
  reveal(): string;
}

/** One read of the database. */
interface Read {
  readonly queries: readonly Query[];
  /** The time of the read: `$1` of the queries, in ISO 8601. */
  readonly now: string;
  /** How long one query may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Returns what takes the rows. Called once more if the read begins again on another connection. */
  readonly begin: () => RowsReceiver;
}

/** Takes the rows of each query as they arrive, while the next query runs. */
interface RowsReceiver {
  add(query: Query, rows: readonly Row[]): void;
}

/** How often the server looks whether this process still waits for a statement, in milliseconds. */
const serverCheckMs = 500;

/**
 * Reads a Debusine database over at most one connection, which stays open between reads. Each read is a read-only
 * transaction on one snapshot of the data. Reads must not overlap.
 */
export class Session {
  readonly #kept: KeptConnection<Connection>;

  constructor(dsn: Dsn) {
    this.#kept = new KeptConnection({
      open: (signal) => Connection.open(dsn.reveal(), signal),
      isLost: isConnectionLost,
    });
  }

  /**
   * Runs the queries. Rejects with a `SourceError`. A failed read ends the connection, so that it never stays within a
   * transaction. A connection that ended while it was idle is replaced at once.
   */
  async read({ queries, now, timeoutMs, signal, begin }: Read): Promise<void> {
    const work = async (connection: Connection) => {
      await connection.execute(beginning(timeoutMs), signal);
      const receiver = begin();
      for (const query of queries) {
        receiver.add(query, await rowsOf(query, connection, now, signal));
      }
      await connection.execute('COMMIT', signal);
    };
    await this.#kept.use(work, signal).catch((thrown: unknown) => {
      throw databaseError(thrown);
    });
  }

  /** Ends the connection. Later reads fail. Never rejects. */
  async close(): Promise<void> {
    await this.#kept.close();
  }
}

/** The rows of a query. An error that is not of the connection names what the query reads. */
async function rowsOf(query: Query, connection: Connection, now: string, signal: AbortSignal): Promise<readonly Row[]> {
  const run = (sql: string) => connection.query(sql, sql.includes('$1') ? [now] : [], signal);
  const { fromSummary } = query;
  try {
    if (fromSummary !== undefined && (await hasSummary(fromSummary, connection, signal)))
      return await run(fromSummary.sql);
    const rows = await run(query.sql);
    return query.exact?.isNeeded(rows) === true ? await run(query.exact.sql) : rows;
  } catch (thrown) {
    throw isConnectionLost(thrown) ? thrown : databaseError(thrown, subjectOf(thrown, query));
  }
}

/**
 * Begins a transaction. The lock timeout is a little shorter than the statement timeout, so that the server says which of
 * the two it was. Compiling statements would take longer than it saves, and grouping in memory is faster than by sorting
 * on disk. The tables are those of the schema that the grants name, whatever `search_path` the role has. All settings end
 * with the transaction, as a connection pooler requires.
 */
function beginning(timeoutMs: number): string {
  return `
    BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    SET LOCAL statement_timeout = ${timeoutMs};
    SET LOCAL lock_timeout = ${Math.ceil(timeoutMs * 0.9)};
    SET LOCAL client_connection_check_interval = ${serverCheckMs};
    SET LOCAL search_path = public;
    SET LOCAL jit = off;
    SET LOCAL work_mem = '64MB'`;
}
