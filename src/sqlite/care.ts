import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, backup } from 'node:sqlite';
import { messageOf, TonnageError } from '../base/index.ts';

/** How long what somebody else does with a file is waited for. */
const busyTimeoutMs = 5_000;

/**
 * Copies the database at `file`, as it is at one moment, to `target`, which must not exist. Safe while another process
 * writes to it. Rejects with `data_invalid` when it cannot be read or written; there is no target then.
 */
export async function backupFile(file: string, target: string): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true });
  let isMade = false;
  try {
    // Made first, for this user alone: who may read the directory of a backup need not be who may read the ledger.
    closeSync(openSync(target, 'wx', 0o600));
    isMade = true;
    await backup(source, target);
  } catch (error) {
    // Half a copy must not be taken for a backup.
    if (isMade) rmSync(target, { force: true });
    throw new TonnageError('data_invalid', `${file} cannot be copied to ${target}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    source.close();
  }
}

/** What SQLite itself finds wrong with a file: one line each, none when it is whole. Reads all of it. */
export function integrityProblems(file: string): readonly string[] {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare('pragma integrity_check').all();
    return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok');
  } catch (error) {
    return [messageOf(error)];
  } finally {
    database?.close();
  }
}

/** Moves all that the write-ahead log of a file holds into the file itself. Nobody else may have it open. */
export function emptyLog(file: string): void {
  care(file, 'its log cannot be emptied', ['pragma wal_checkpoint(truncate)']);
}

/**
 * Writes a file anew with nothing in it but what it holds, so that no page has bytes of what was deleted; its write-ahead
 * log is emptied too. Nobody else may have it open. Throws `data_invalid` when that fails (it needs the file's size once
 * more on disk); the file is whole then, as it was.
 */
export function compactFile(file: string): void {
  care(file, 'it cannot be written anew', ['vacuum', 'pragma wal_checkpoint(truncate)']);
}

function care(file: string, failure: string, statements: readonly string[]): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    for (const statement of statements) {
      // A checkpoint that somebody is in the way of is no error to SQLite: it says so in its answer.
      const [answer] = database.prepare(statement).all();
      if (answer?.['busy'] === 1) throw new Error('another connection is reading it');
    }
  } catch (error) {
    throw new TonnageError('data_invalid', `${file}: ${failure}: ${messageOf(error)}`, { cause: error });
  } finally {
    database?.close();
  }
}
