import { copyFileSync } from 'node:fs';
import { DatabaseSync, backup } from 'node:sqlite';
import { messageOf, TonnageError } from '../base/index.ts';
import { AtomicFile } from './atomic-file.ts';
import { toFileError, isDamage, type NamedFile } from './file-error.ts';

/** How long to wait for another process's lock on the file. */
const busyTimeoutMs = 5_000;

/**
 * Copies a consistent snapshot of a database to `target`, replacing it. Safe while another process writes to the database.
 * Rejects with `data_invalid` if a file cannot be read or written, or the database is damaged; `target` is then unchanged.
 */
export async function backupFile(source: NamedFile, target: string): Promise<void> {
  let database: DatabaseSync | undefined;
  try {
    const from = openReadable(source);
    database = from;
    await replaceFile(target, async (path) => {
      await backup(from, path).catch((error: unknown) => {
        // An error other than damage concerns the target.
        throw toFileError(isDamage(error) ? source : { ...source, file: target }, error, 'data_invalid');
      });
      // A backup copies damaged pages without an error.
      const [damage] = problemsOf(path, 'quick_check');
      if (damage !== undefined) throw new Error(`${source.file} is damaged (${damage}): ${source.remedy}`);
    });
  } catch (error) {
    throw copyFailure(source.file, target, error);
  } finally {
    database?.close();
  }
}

/** Copies a file byte by byte, even if it is no longer a database. Otherwise like `backupFile`. */
export async function copyFile(source: string, target: string): Promise<void> {
  try {
    await replaceFile(target, (path) => copyFileSync(source, path));
  } catch (error) {
    throw copyFailure(source, target, error);
  }
}

/** Opens a database and runs a query, because SQLite reads a file only for a query. */
function openReadable(named: NamedFile): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(named.file, { readOnly: true });
    database.prepare('select count(*) from sqlite_schema').get();
    return database;
  } catch (error) {
    database?.close();
    throw toFileError(named, error, 'data_invalid');
  }
}

/** Calls `write` with a temporary path and renames that file to `target`. */
async function replaceFile(target: string, write: (path: string) => void | Promise<void>): Promise<void> {
  const file = new AtomicFile(target);
  try {
    await write(file.path);
    file.commit();
  } finally {
    file.discard();
  }
}

function copyFailure(source: string, target: string, error: unknown): TonnageError {
  const message = `${source} cannot be copied to ${target}: ${messageOf(error)}`;
  return new TonnageError('data_invalid', message, { cause: error });
}

/**
 * Reads the whole file and returns the damage that SQLite finds, one line each; empty if there is none. Throws
 * `data_invalid` if the file cannot be opened.
 */
export function integrityProblems(named: NamedFile): readonly string[] {
  try {
    return problemsOf(named.file, 'integrity_check');
  } catch (error) {
    throw toFileError(named, error, 'data_invalid');
  }
}

/** `quick_check` skips the comparison of indexes with their tables. */
function problemsOf(file: string, check: 'integrity_check' | 'quick_check'): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare(`pragma ${check}`).all();
    return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
  } catch (error) {
    if (isDamage(error)) return [messageOf(error)];
    throw error;
  } finally {
    database.close();
  }
}

/** Moves the write-ahead log into the file. No other process may have the file open. Throws `data_invalid`. */
export function checkpointLog(named: NamedFile): void {
  runExclusive(named, 'its write-ahead log cannot be emptied', ['pragma wal_checkpoint(truncate)']);
}

/**
 * Rewrites a file and empties its write-ahead log, so that no page holds bytes of deleted rows. No other process may have the
 * file open. Needs free disk space of the file's size. Throws `data_invalid` on failure; the file is then unchanged.
 */
export function compactFile(named: NamedFile): void {
  runExclusive(named, 'it cannot be compacted', ['vacuum', 'pragma wal_checkpoint(truncate)']);
}

function runExclusive(named: NamedFile, failure: string, statements: readonly string[]): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(named.file, { timeout: busyTimeoutMs });
    for (const statement of statements) {
      // SQLite reports a blocked checkpoint in its result row, not as an error.
      const [row] = database.prepare(statement).all();
      if (row?.['busy'] === 1) throw new Error('another connection is reading it');
    }
  } catch (error) {
    const reason = messageOf(toFileError(named, error, 'data_invalid'));
    throw new TonnageError('data_invalid', `${named.file}: ${failure}: ${reason}`, { cause: error });
  } finally {
    database?.close();
  }
}
