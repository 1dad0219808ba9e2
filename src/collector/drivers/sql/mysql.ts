import { limits } from '../../../base/index.ts';
import { parseDecimal, type Cell } from '../../declared/cell.ts';
import { KeptConnection } from '../../kept-connection.ts';
import { withReplyLimit } from '../../reply-limit.ts';
import { mysqlAddress } from './dsn.ts';
import type { Engine, EngineQuery, Rows } from './engine.ts';
import { MysqlConnection, type MysqlTable } from './mysql-connection.ts';
import { isConnectionLost, mysqlError } from './mysql-error.ts';
import { subqueryOf } from './subquery.ts';

/** Reads a MariaDB or MySQL database over one connection, which stays open between reads. */
export function createEngine(dsn: { reveal(): string }): Engine {
  const kept = new KeptConnection({
    open: (signal) => MysqlConnection.open(addressOf(dsn), signal),
    isLost: isConnectionLost,
  });
  return {
    read: (queries, signal) =>
      kept
        .use((connection) => readAll(connection, queries, signal), signal)
        .catch((thrown: unknown) => {
          throw mysqlError(thrown);
        }),
    close: () => kept.close(),
  };
}

function addressOf(dsn: { reveal(): string }) {
  const address = mysqlAddress(dsn.reveal());
  if (address === undefined) throw new Error('BUG: the configuration has checked the DSN');
  return address;
}

async function readAll(
  connection: MysqlConnection,
  queries: readonly EngineQuery[],
  signal: AbortSignal,
): Promise<Rows[]> {
  const limit = { bytesMax: limits.sourceReplyBytesMax, arrived: () => connection.bytesRead };
  return withReplyLimit(limit, signal, async (limited) => {
    for (const statement of beginning) await connection.query(statement, limited);
    const results: Rows[] = [];
    for (const { name, sql, timeoutMs, rowsMax } of queries) {
      try {
        await connection.query(connection.limitOf(timeoutMs), limited);
        results.push(typedRows(await connection.query(subqueryOf(sql, rowsMax, 'tonnage'), limited)));
      } catch (thrown) {
        throw isConnectionLost(thrown) ? thrown : mysqlError(thrown, `query ${JSON.stringify(name)}`);
      }
    }
    await connection.query('COMMIT', limited);
    return results;
  });
}

/** The text of a date must not depend on the settings of the server. */
const beginning = [
  `SET SESSION time_zone = '+00:00'`,
  'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
  'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY',
];

type Reader = (text: string) => Cell;

const number: Reader = (text) => parseDecimal(text) ?? Number(text);
const date: Reader = (text) => ({ what: 'a date', text });

/** Types whose values are no texts, by number (`enum_field_types` of MySQL). Others are texts or bytes. */
const readers: Readonly<Record<number, Reader>> = {
  0: number, // decimal
  1: number, // tinyint
  2: number, // smallint
  3: number, // int
  4: number, // float
  5: number, // double
  8: number, // bigint
  9: number, // mediumint
  13: number, // year
  16: number, // bit, which the connection reads as a whole number
  246: number, // decimal
  7: date, // timestamp
  10: date,
  11: date, // time
  12: date, // datetime
};

/** The character set of values that are bytes. */
const binary = 63;
/** Types that hold texts or bytes: tinyblob to blob, var_string, string, geometry. */
const textTypes: ReadonlySet<number | undefined> = new Set([15, 249, 250, 251, 252, 253, 254, 255]);

function typedRows({ fields, rows }: MysqlTable): Rows {
  const byColumn = fields.map(({ columnType, characterSet }): Reader => {
    if (textTypes.has(columnType) && characterSet === binary) return () => ({ what: 'bytes' });
    return readers[columnType ?? -1] ?? ((text) => text);
  });
  return {
    columns: fields.map(({ name }) => name),
    rows: rows.map((row) => row.map((text, index) => (text === null ? null : (byColumn[index] ?? date)(text)))),
  };
}
