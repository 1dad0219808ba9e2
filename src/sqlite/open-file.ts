import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { TonnageError, messageOf } from '../base/index.ts';
import { AtomicFile } from './atomic-file.ts';
import { toFileError } from './file-error.ts';
import { makePrivate } from './private-file.ts';
import type { FileOptions } from './protocol.ts';

/** How long a connection waits for another connection's lock on the file. There is one writer, so waits are short. */
const busyTimeoutMs = 5_000;

/** Suffixes of SQLite's side files. */
const suffixes = ['-wal', '-shm', '-journal'] as const;

/**
 * Opens the file for `options.mode`. The writer creates a missing file, removes other users' access, and migrates the schema in
 * one transaction, so that a crash leaves the old version. Throws `data_invalid` for a file of another application, a damaged
 * file and a file that cannot be opened, and `data_version` for a file of a newer release; it changes none of them.
 */
export function openFile(options: FileOptions): DatabaseSync {
  const { file, mode } = options;
  let database: DatabaseSync | undefined;
  try {
    if (mode === 'write' && !existsSync(file)) createFile(options);
    database = new DatabaseSync(file, { readOnly: mode === 'read', timeout: busyTimeoutMs });
    if (mode === 'write') prepareWriter(database, options);
    return database;
  } catch (error) {
    database?.close();
    throw unusable(options, error);
  }
}

/**
 * Creates the file, with mode 0600 and its whole schema, under a temporary name first, so that an interrupted start
 * leaves no partial file.
 */
function createFile(options: FileOptions): void {
  const { file } = options;
  const log = `${file}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new TonnageError(
      'data_invalid',
      `${file} is missing, but ${log} exists and holds part of its content: put the file back, or remove the log, which loses its content`,
    );
  }
  const temporary = new AtomicFile(file);
  try {
    const database = new DatabaseSync(temporary.path);
    try {
      migrate(database, options, 0);
    } finally {
      database.close();
    }
    temporary.commit();
  } finally {
    temporary.discard();
  }
}

function prepareWriter(database: DatabaseSync, options: FileOptions): void {
  checkOwner(database, options);
  const version = checkVersion(database, options);
  for (const suffix of ['', ...suffixes]) makePrivate(`${options.file}${suffix}`);
  database.exec('pragma journal_mode = wal');
  database.exec(`pragma synchronous = ${options.synchronous}`);
  database.exec('pragma foreign_keys = on');
  migrate(database, options, version);
}

/** Rejects another application's database: a file with tables must have our application_id. */
function checkOwner(database: DatabaseSync, options: FileOptions): void {
  const applicationId = pragma(database, 'application_id');
  if (applicationId === options.applicationId) return;
  const tables = database.prepare('select count(*) as n from sqlite_schema').get();
  if (applicationId === 0 && Number(tables?.['n']) === 0) return;
  throw new TonnageError(
    'data_invalid',
    `${options.file}: expected a database with application_id ${options.applicationId}, found ${applicationId}`,
  );
}

function checkVersion(database: DatabaseSync, options: FileOptions): number {
  const version = pragma(database, 'user_version');
  assertKnownVersion(options.file, version, options.migrations.length);
  return version;
}

/** Throws `data_version` for a file of a newer release, which has another schema than `known`, the newest known version. */
export function assertKnownVersion(file: string, version: number, known: number): void {
  if (version <= known) return;
  throw new TonnageError(
    'data_version',
    `${file}: expected schema version ${known} or lower, found ${version}; run a newer release of Tonnage`,
  );
}

function migrate(database: DatabaseSync, options: FileOptions, version: number): void {
  const missing = options.migrations.slice(version);
  if (missing.length === 0) return;
  database.exec('begin immediate');
  for (const script of missing) database.exec(script);
  // Pragmas accept no parameters. Both values are numbers from our own code.
  database.exec(`pragma application_id = ${options.applicationId}`);
  database.exec(`pragma user_version = ${options.migrations.length}`);
  database.exec('commit');
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name]);
}

function unusable(options: FileOptions, error: unknown): TonnageError {
  const failure = toFileError(options, error, 'data_invalid');
  if (failure instanceof TonnageError) return failure;
  const message = `${options.file}: cannot be used as a database: ${messageOf(error)}`;
  return new TonnageError('data_invalid', message, { cause: error });
}
