import { readFileSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, TonnageError } from '../base/index.ts';
import { fileFailure, reasonOf, systemCodeOf } from './file-failure.ts';
import { createPrivateFile, isOpenToOthers } from './private-file.ts';
import { SideFile } from './side-file.ts';

/** SQLite's result code for a lock that another connection holds. */
const sqliteBusy = 5;

/** Locks that are held: a connection without a reference is collected, and its lock is gone without a word. */
const held = new Set<DatabaseSync>();

export interface FileLock {
  release(): void;
}

/**
 * Takes the exclusive lock on `file` (created when absent, for this user alone) or throws `data_locked`. It is SQLite's own
 * file lock, so the kernel frees it the moment the process ends, however it ends; nothing is left behind to clean up.
 *
 * A file that other users may read is replaced: one of them may have it open, and a lock that they hold for reading would keep
 * this user out.
 */
export function lockFile(file: string): FileLock {
  create(file);
  const wasOpen = isOpenToOthers(file);
  const first = take(file);
  if (!wasOpen) return lockOf(file, first);
  if (first === undefined && !isHeldForReadingOnly(file)) throw locked(file, wasOpen);
  try {
    replace(file);
    return lockOf(file, take(file), first);
  } catch (error) {
    first?.close();
    throw error;
  }
}

/** `old`: of a file that was replaced; a process that opened it before finds it held. */
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
    if (systemCodeOf(error) === 'EEXIST') return;
    throw new TonnageError('data_invalid', `${file} cannot be locked: ${reasonOf(error)}`, { cause: error });
  }
}

/** A connection that has the lock; `undefined` where another one has it. */
function take(file: string): DatabaseSync | undefined {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    // The file stays empty, so a journal on disk has no use.
    connection.exec('pragma journal_mode = memory');
    connection.exec('begin exclusive');
    return connection;
  } catch (error) {
    connection?.close();
    if (isBusy(error)) return undefined;
    const remedy = 'remove it: it holds no data';
    const said = messageOf(fileFailure({ file, remedy }, error, 'data_invalid'));
    throw new TonnageError('data_invalid', `${file} cannot be locked: ${said}`, { cause: error });
  }
}

/** Puts a new file in the place of the lock. */
function replace(file: string): void {
  const side = new SideFile(file);
  try {
    side.commit();
  } finally {
    side.discard();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

/**
 * Whether all locks on a file are for reading, which a server's lock is not. False where the kernel does not say so: then the
 * lock counts as held.
 */
function isHeldForReadingOnly(file: string): boolean {
  const inode = `:${statSync(file).ino}`;
  const kinds = kernelLocks()
    .map((line) => line.split(/\s+/))
    .filter((fields) => fields.some((field) => field.endsWith(inode)))
    .map((fields) => (fields.includes('WRITE') ? 'write' : 'read'));
  return kinds.length > 0 && !kinds.includes('write');
}

/** Lines such as `1: POSIX  ADVISORY  READ 4711 08:01:123456 1073741826 1073742335`; none on systems without them. */
function kernelLocks(): readonly string[] {
  try {
    return readFileSync('/proc/locks', 'utf8').split('\n');
  } catch {
    return [];
  }
}

function locked(file: string, wasOpen: boolean): TonnageError {
  const how = 'is held by another Tonnage process: stop it, or use another data directory';
  const hint = wasOpen ? '. Other users may read the file and hold it, too: if no Tonnage is running, remove it' : '';
  return new TonnageError('data_locked', `${file} ${how}${hint}`);
}
