import { readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { codeOf, fileErrorReason, messageOf, TonnageError } from '../base/index.ts';
import { toFileError } from './file-error.ts';
import { createPrivateFile, isAccessibleToOthers } from './private-file.ts';
import { AtomicFile } from './atomic-file.ts';

/** SQLite's result code if another connection holds the lock. */
const sqliteBusy = 5;

/** References to connections that hold a lock. Without them, garbage collection would close them and free the locks. */
const held = new Set<DatabaseSync>();

export interface FileLock {
  release(): void;
}

/**
 * Takes the exclusive lock on `file`, which it creates with mode 0600 if missing, or throws `data_locked`. The lock is
 * a file lock of SQLite, so the kernel frees it when the process ends, even after a SIGKILL.
 *
 * Replaces a file that other users may read: a read lock of another user would otherwise block this one.
 */
export function lockFile(file: string): FileLock {
  create(file);
  const wasAccessible = isAccessibleToOthers(file);
  const first = take(file);
  if (!wasAccessible) return lockOf(file, first);
  if (first === undefined && !isHeldForReadingOnly(file)) throw locked(file, wasAccessible);
  try {
    replace(file);
    return lockOf(file, take(file), first);
  } catch (error) {
    first?.close();
    throw error;
  }
}

/** `old` locks the replaced file against processes that opened it before it was replaced. */
function lockOf(file: string, connection: DatabaseSync | undefined, old?: DatabaseSync): FileLock {
  if (connection === undefined) throw locked(file, false);
  const holders = old === undefined ? [connection] : [connection, old];
  for (const holder of holders) held.add(holder);
  return {
    release() {
      for (const holder of holders) {
        held.delete(holder);
        holder.close();
      }
    },
  };
}

function create(file: string): void {
  try {
    createPrivateFile(file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw new TonnageError('data_invalid', `${file} cannot be locked: ${fileErrorReason(error)}`, { cause: error });
  }
}

/** A connection that holds the lock; `undefined` if another connection holds it. */
function take(file: string): DatabaseSync | undefined {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    // The file stays empty, so a journal on disk is useless.
    connection.exec('pragma journal_mode = memory');
    connection.exec('begin exclusive');
    return connection;
  } catch (error) {
    connection?.close();
    if (isBusy(error)) return undefined;
    const remedy = 'remove it: it holds no data';
    const reason = messageOf(toFileError({ file, remedy }, error, 'data_invalid'));
    throw new TonnageError('data_invalid', `${file} cannot be locked: ${reason}`, { cause: error });
  }
}

/** Replaces the lock file by a new one. */
function replace(file: string): void {
  const replacement = new AtomicFile(file);
  try {
    replacement.commit();
  } finally {
    replacement.discard();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

/**
 * Whether the file has read locks only. A server's lock is a write lock. False if the kernel lists no locks: the file
 * then counts as locked.
 */
function isHeldForReadingOnly(file: string): boolean {
  const inode = `:${statSync(file).ino}`;
  const kinds = kernelLocks()
    .map((line) => line.split(/\s+/))
    .filter((fields) => fields.some((field) => field.endsWith(inode)))
    .map((fields) => (fields.includes('WRITE') ? 'write' : 'read'));
  return kinds.length > 0 && !kinds.includes('write');
}

/** Lines such as `1: POSIX  ADVISORY  READ 4711 08:01:123456 1073741826 1073742335`; empty on systems without /proc/locks. */
function kernelLocks(): readonly string[] {
  try {
    return readFileSync('/proc/locks', 'utf8').split('\n');
  } catch {
    return [];
  }
}

function locked(file: string, wasAccessible: boolean): TonnageError {
  const how = 'is locked by another Tonnage process: stop it, or use another data directory';
  const hint = wasAccessible
    ? '. Other users can read the file and may have locked it: if no Tonnage is running, remove it'
    : '';
  return new TonnageError('data_locked', `${file} ${how}${hint}`);
}
