import { DatabaseSync } from 'node:sqlite';
import { messageOf, TonnageError } from '../base/index.ts';

/** SQLite's result code for a lock that somebody else holds. */
const sqliteBusy = 5;

/** Locks that are held: a connection that nobody refers to is collected, and lets go of its file without a word. */
const held = new Set<DatabaseSync>();

export interface FileLock {
  release(): void;
}

/**
 * Takes the exclusive lock on `file` (created when absent) or throws `data_locked`. It is SQLite's own file lock, so
 * the kernel frees it the moment the process ends, however it ends; nothing is left behind to clean up.
 */
export function lockFile(file: string): FileLock {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    connection.exec('begin exclusive');
  } catch (error) {
    connection?.close();
    if (isBusy(error)) {
      throw new TonnageError(
        'data_locked',
        `${file} is held by another Tonnage process: stop it, or use another data directory`,
      );
    }
    const hint = 'is its directory there, and may this user write to it?';
    throw new TonnageError('data_invalid', `${file}: cannot be locked: ${messageOf(error)}; ${hint}`, { cause: error });
  }
  const holder = connection;
  held.add(holder);
  return {
    release() {
      held.delete(holder);
      holder.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}
