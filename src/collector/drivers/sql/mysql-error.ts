import { codeOf } from '../../../base/index.ts';
import { SourceError, type SourceErrorClass } from '../../source-error.ts';

type Meaning = readonly [SourceErrorClass, string];

/** Errors of the server by number (MySQL's manual, "Server Error Message Reference"; MariaDB's, "Error Codes"). */
const serverErrors: Readonly<Record<number, Meaning>> = {
  1040: ['unreachable', 'the database accepts no more connections'],
  1044: ['denied', 'the user may not use this database'],
  1045: ['denied', 'the database rejected the user or the password'],
  1049: ['failed', 'expected an existing database, got the name of none'],
  1053: ['unreachable', 'the database is stopping'],
  1142: ['denied', 'the user may not read a table'],
  1143: ['denied', 'the user may not read a column'],
  1205: ['timeout', 'another session of the database holds a lock'],
  1226: ['unreachable', 'the database accepts no more connections of this user'],
  1227: ['denied', 'the user may not do this'],
  1317: ['timeout', 'the query was interrupted'],
  1370: ['denied', 'the user may not run a function'],
  1698: ['denied', 'the database rejected the user or the password'],
  1792: ['denied', 'expected a statement that only reads'],
  1927: ['unreachable', 'the database closed the connection'],
  1969: ['timeout', 'the query took longer than its timeout'],
  3024: ['timeout', 'the query took longer than its timeout'],
  3159: ['denied', 'the database accepts only connections with TLS'],
};

/** Errors about the text of a query. The server's words say what is wrong with it. */
const queryErrors: ReadonlySet<number> = new Set([
  1052, // ambiguous column
  1054, // no such column
  1055, // a column that is not grouped
  1060, // a column name twice
  1064, // syntax
  1140, // a column without grouping
  1146, // no such table
  1222, // different numbers of columns
  1305, // no such function
]);

/** Codes of Node.js and of the client library for a connection that cannot be opened or was cut. */
const networkErrors: Readonly<Record<string, Meaning>> = {
  EACCES: ['denied', 'the socket of the database may not be opened'],
  ECONNREFUSED: ['unreachable', 'the database refused the connection'],
  EHOSTUNREACH: ['unreachable', 'no route leads to the host of the database'],
  ENETUNREACH: ['unreachable', 'no route leads to the host of the database'],
  ENOENT: ['unreachable', 'the socket of the database does not exist'],
  ENOTFOUND: ['unreachable', 'the host of the database has no address'],
  ETIMEDOUT: ['unreachable', 'the host of the database does not answer'],
  HANDSHAKE_NO_SSL_SUPPORT: ['unreachable', 'the database accepts no TLS'],
  HANDSHAKE_SSL_ERROR: ['unreachable', 'the certificate of the database is not valid here'],
};

const closed: Meaning = ['unreachable', 'the database closed the connection'];

/**
 * Says what an error of the client library means, in words that do not change from read to read and contain nothing of
 * the DSN. `subject` says what was read.
 */
export function mysqlError(thrown: unknown, subject?: string): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const number = numberOf(thrown);
  if (queryErrors.has(number) && thrown instanceof Error) {
    // The server writes 'DATABASE.TABLE'.
    const words = thrown.message.replace(/'[^'.]+\.([^'.]+)'/g, "'$1'");
    return new SourceError('invalid', subject === undefined ? words : `${subject}: ${words}`);
  }
  const [errorClass, message] = meaningOf(thrown, number);
  return new SourceError(errorClass, subject === undefined ? message : `${message} (${subject})`);
}

/** Whether the error came from the connection, or from a server that is ending it: another connection may succeed. */
export function isConnectionLost(thrown: unknown): boolean {
  if (thrown instanceof SourceError) return false;
  const number = numberOf(thrown);
  return number === 0 || number === 1053 || number === 1927;
}

function meaningOf(thrown: unknown, number: number): Meaning {
  if (number > 0) return serverErrors[number] ?? ['failed', `the database answered with the error ${number}`];
  return networkErrors[codeOf(thrown) ?? ''] ?? closed;
}

/** The number of an error of the server; 0 for another error. Those of the operating system are negative. */
function numberOf(thrown: unknown): number {
  const isNumbered = thrown instanceof Error && 'errno' in thrown && typeof thrown.errno === 'number';
  return isNumbered ? Math.max(0, Number(thrown.errno)) : 0;
}
