import { DatabaseSync } from 'node:sqlite';
import { TonnageError, messageOf } from '../base/index.ts';
import type { WorkerOptions } from './protocol.ts';

/** How long a connection waits for another one's lock on the file. Ours never wait long: there is one writer. */
const busyTimeoutMs = 5_000;

/**
 * Opens the file as `options.mode` says. The writer brings the schema up to date, in one transaction, so that a crash
 * in the middle leaves the old version. Throws `data_invalid` for a file that is not ours and `data_version` for one
 * of a newer version; neither is touched.
 */
export function openFile(options: WorkerOptions): DatabaseSync {
  const database = connect(options);
  try {
    if (options.mode === 'write') prepareWriter(database, options);
    return database;
  } catch (error) {
    database.close();
    throw error instanceof TonnageError ? error : unusable(options.file, error);
  }
}

function connect(options: WorkerOptions): DatabaseSync {
  try {
    return new DatabaseSync(options.file, { readOnly: options.mode === 'read', timeout: busyTimeoutMs });
  } catch (error) {
    throw unusable(options.file, error);
  }
}

function prepareWriter(database: DatabaseSync, options: WorkerOptions): void {
  checkOwner(database, options);
  const version = checkVersion(database, options);
  database.exec('pragma journal_mode = wal');
  database.exec(`pragma synchronous = ${options.synchronous}`);
  database.exec('pragma foreign_keys = on');
  migrate(database, options, version);
}

/** A file that holds something already must carry our mark, or we would write into somebody else's database. */
function checkOwner(database: DatabaseSync, options: WorkerOptions): void {
  const applicationId = pragma(database, 'application_id');
  if (applicationId === options.applicationId) return;
  const tables = database.prepare('select count(*) as n from sqlite_schema').get();
  if (applicationId === 0 && Number(tables?.['n']) === 0) return;
  throw new TonnageError(
    'data_invalid',
    `${options.file}: expected a database with application_id ${options.applicationId}, found ${applicationId}`,
  );
}

function checkVersion(database: DatabaseSync, options: WorkerOptions): number {
  const version = pragma(database, 'user_version');
  const known = options.migrations.length;
  if (version <= known) return version;
  throw new TonnageError(
    'data_version',
    `${options.file}: has schema version ${version}, this release knows versions up to ${known}; run a newer release`,
  );
}

function migrate(database: DatabaseSync, options: WorkerOptions, version: number): void {
  const missing = options.migrations.slice(version);
  if (missing.length === 0) return;
  database.exec('begin immediate');
  for (const script of missing) database.exec(script);
  // Pragmas take no parameters; both are numbers of our own.
  database.exec(`pragma application_id = ${options.applicationId}`);
  database.exec(`pragma user_version = ${options.migrations.length}`);
  database.exec('commit');
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name]);
}

function unusable(file: string, error: unknown): TonnageError {
  return new TonnageError('data_invalid', `${file}: cannot be used as a database: ${messageOf(error)}`, {
    cause: error,
  });
}
