import { DatabaseError } from 'pg';
import { codeOf } from '../../base/index.ts';
import { SourceError, type SourceErrorClass } from '../source-error.ts';

/** What an error means. */
interface Meaning {
  readonly errorClass: SourceErrorClass;
  readonly message: string;
}

/** The beginnings of the codes of PostgreSQL (its manual, "PostgreSQL Error Codes"); the longest one that fits counts. */
const serverErrors: Readonly<Record<string, Meaning>> = {
  '08': { errorClass: 'unreachable', message: 'the connection to the database failed' },
  '28': { errorClass: 'denied', message: 'the database rejected the role or its password' },
  '3D000': { errorClass: 'failed', message: 'expected an existing database, got the name of none' },
  '42501': { errorClass: 'denied', message: 'the role may not read' },
  '42P01': { errorClass: 'invalid', message: 'the database has no table' },
  '42703': { errorClass: 'invalid', message: 'the database has no column' },
  '3F000': { errorClass: 'invalid', message: 'the database has no schema' },
  '42883': { errorClass: 'invalid', message: 'a column of the database has another type' },
  '53300': { errorClass: 'unreachable', message: 'the database accepts no more connections' },
  '55P03': { errorClass: 'timeout', message: 'another session of the database holds a lock' },
  '57014': { errorClass: 'timeout', message: 'the query took longer than its statement timeout' },
  '57P': { errorClass: 'unreachable', message: 'the database is starting, stopping or restarting' },
};

/** Codes of Node.js for a connection that cannot be opened or was cut. */
const networkErrors: Readonly<Record<string, Meaning>> = {
  EACCES: { errorClass: 'denied', message: 'the socket of the database may not be opened' },
  ECONNREFUSED: { errorClass: 'unreachable', message: 'the database refused the connection' },
  ECONNRESET: { errorClass: 'unreachable', message: 'the database closed the connection' },
  EHOSTUNREACH: { errorClass: 'unreachable', message: 'no route leads to the host of the database' },
  ENETUNREACH: { errorClass: 'unreachable', message: 'no route leads to the host of the database' },
  ENOENT: { errorClass: 'unreachable', message: 'the socket of the database does not exist' },
  ENOTFOUND: { errorClass: 'unreachable', message: 'the host of the database has no address' },
  EPIPE: { errorClass: 'unreachable', message: 'the database closed the connection' },
  ETIMEDOUT: { errorClass: 'unreachable', message: 'the host of the database does not answer' },
};

/** Errors of the client library that have no code, by how their messages begin. */
const libraryErrors: readonly (Meaning & { readonly beginning: string })[] = [
  { beginning: 'Connection terminated', errorClass: 'unreachable', message: 'the database closed the connection' },
  { beginning: 'Client ', errorClass: 'unreachable', message: 'the database closed the connection' },
  { beginning: 'SASL', errorClass: 'denied', message: 'the database expects another password' },
  { beginning: 'The server does not', errorClass: 'unreachable', message: 'the database accepts no TLS' },
];

const unknownError: Meaning = { errorClass: 'failed', message: 'reading the database failed' };

/**
 * Says what an error of the client library means, in words that do not change from read to read. The words of the server
 * and of the library are left out, because they contain names of hosts, roles and databases. `subject` says what was
 * read.
 */
export function databaseError(thrown: unknown, subject?: string): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const { errorClass, message } = meaningOf(thrown);
  return new SourceError(errorClass, subject === undefined ? message : `${message} (${subject})`);
}

/** The code of an error of the server, as its manual lists them. */
export function serverCode(thrown: unknown): string | undefined {
  return thrown instanceof DatabaseError ? thrown.code : undefined;
}

/** Whether the error came from the connection, or from a server that is ending it: another connection may succeed. */
export function isConnectionLost(thrown: unknown): boolean {
  if (thrown instanceof DatabaseError) return serverCode(thrown)?.startsWith('57P') === true;
  return !(thrown instanceof SourceError);
}

function meaningOf(thrown: unknown): Meaning {
  const code = codeOf(thrown) ?? '';
  if (thrown instanceof DatabaseError) {
    const known = [5, 3, 2].map((length) => serverErrors[code.slice(0, length)]).find((each) => each !== undefined);
    return known ?? { errorClass: 'failed', message: `the database answered with the error ${code}` };
  }
  const known = networkErrors[code];
  if (known !== undefined) return known;
  if (code !== '') return { errorClass: 'unreachable', message: `the connection to the database failed with ${code}` };
  const text = thrown instanceof Error ? thrown.message : '';
  return libraryErrors.find(({ beginning }) => text.startsWith(beginning)) ?? unknownError;
}
