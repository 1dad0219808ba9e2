import { DatabaseError } from 'pg';
import { limits } from '../../../base/index.ts';
import { parseDecimal, type Cell } from '../../declared/cell.ts';
import { KeptConnection } from '../../kept-connection.ts';
import { Connection, type TextTable } from '../../postgres/connection.ts';
import { databaseError, isConnectionLost } from '../../postgres/database-error.ts';
import { withReplyLimit } from '../../reply-limit.ts';
import { SourceError } from '../../source-error.ts';
import type { Engine, EngineQuery, Rows } from './engine.ts';

/** Reads a PostgreSQL database over one connection, which stays open between reads. */
export function createEngine(dsn: { reveal(): string }): Engine {
  const kept = new KeptConnection({
    open: (signal) => Connection.open(dsn.reveal(), signal),
    isLost: isConnectionLost,
  });
  return {
    read: (queries, signal) =>
      kept
        .use((connection) => readAll(connection, queries, signal), signal)
        .catch((thrown: unknown) => {
          throw databaseError(thrown);
        }),
    close: () => kept.close(),
  };
}

async function readAll(connection: Connection, queries: readonly EngineQuery[], signal: AbortSignal): Promise<Rows[]> {
  const limit = { bytesMax: limits.sourceReplyBytesMax, arrived: () => connection.bytesRead };
  return withReplyLimit(limit, signal, async (limited) => {
    await connection.execute(beginning, limited);
    const results: Rows[] = [];
    for (const query of queries) {
      try {
        results.push(await rowsOf(connection, query, limited));
      } catch (thrown) {
        throw isConnectionLost(thrown) ? thrown : queryError(thrown, query);
      }
    }
    await connection.execute('COMMIT', limited);
    return results;
  });
}

/**
 * Sessions have settings of their own, so that the text of a value does not depend on those of the server. All settings
 * end with the transaction, as a connection pooler requires.
 */
const beginning = `
  BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
  SET LOCAL client_connection_check_interval = 500;
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL DateStyle = 'ISO';
  SET LOCAL IntervalStyle = 'iso_8601';
  SET LOCAL extra_float_digits = 1;
  SET LOCAL cursor_tuple_fraction = 1`;

/**
 * Reads through a cursor, which takes nothing but a query and returns no more rows than it is asked for. The lock timeout
 * is a little shorter than the statement timeout, so that the server says which of the two it was.
 */
async function rowsOf(
  connection: Connection,
  { sql, timeoutMs, rowsMax }: EngineQuery,
  signal: AbortSignal,
): Promise<Rows> {
  await connection.execute(
    `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = ${Math.ceil(timeoutMs * 0.9)}`,
    signal,
  );
  await connection.table(`DECLARE tonnage NO SCROLL CURSOR FOR ${sql}`, signal);
  const table = await connection.table(`FETCH ${rowsMax + 1} FROM tonnage`, signal);
  await connection.execute('CLOSE tonnage', signal);
  return typedRows(table);
}

/** An error of one query. The server's words are about the query if its code begins with 42 (syntax, names and types). */
function queryError(thrown: unknown, { name }: EngineQuery): SourceError {
  const subject = `query ${JSON.stringify(name)}`;
  const code = thrown instanceof DatabaseError ? (thrown.code ?? '') : '';
  const words = thrown instanceof Error ? thrown.message : '';
  if (code === '25006' || code === '0A000') {
    return new SourceError('denied', `expected a statement that only reads (${subject}), got: ${words}`);
  }
  if (code === '42501') return new SourceError('denied', `${subject}: ${words}`);
  return code.startsWith('42') ? new SourceError('invalid', `${subject}: ${words}`) : databaseError(thrown, subject);
}

type Reader = (text: string) => Cell;

const number: Reader = (text) => parseDecimal(text) ?? Number(text);
const date: Reader = (text) => ({ what: 'a date', text });
const bytes: Reader = () => ({ what: 'bytes' });

/** Types whose values are no texts, by object id (`pg_type.dat` of PostgreSQL). Others are texts, as the server sends them. */
const readers: Readonly<Record<number, Reader>> = {
  16: (text) => text === 't', // bool
  17: bytes, // bytea
  20: number, // int8
  21: number, // int2
  23: number, // int4
  26: number, // oid
  700: number, // float4
  701: number, // float8
  1700: number, // numeric
  1082: date,
  1083: date, // time
  1114: date, // timestamp
  1184: date, // timestamptz
  1266: date, // timetz
};

const asText: Reader = (text) => text;

function typedRows({ fields, rows }: TextTable): Rows {
  const byColumn = fields.map(({ dataTypeID }) => readers[dataTypeID] ?? asText);
  return {
    columns: fields.map(({ name }) => name),
    rows: rows.map((row) => row.map((text, index) => (text === null ? null : (byColumn[index] ?? asText)(text)))),
  };
}
