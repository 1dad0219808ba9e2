import { copyFileSync } from 'node:fs';
import { DatabaseSync, backup } from 'node:sqlite';
import { messageOf, TonnageError } from '../base/index.ts';
import { fileFailure, isDamage, type NamedFile } from './file-failure.ts';
import { SideFile } from './side-file.ts';

/** How long another process's work on a file is waited for. */
const busyTimeoutMs = 5_000;

/**
 * Copies a database, as it is at one moment, to `target`, which it replaces. Safe while another process writes to it. Rejects
 * with `data_invalid` when it cannot be read or written, or is damaged; `target` then is what it was before.
 */
export async function backupFile(source: NamedFile, target: string): Promise<void> {
  let database: DatabaseSync | undefined;
  try {
    const from = openReadable(source);
    database = from;
    await writeWhole(target, async (side) => {
      await backup(from, side).catch((error: unknown) => {
        // Unless it is damage, it is about the target.
        throw fileFailure(isDamage(error) ? source : { ...source, file: target }, error, 'data_invalid');
      });
      // Pages are copied as they are, whatever they hold.
      const [damage] = problemsOf(side, 'quick_check');
      if (damage !== undefined) throw new Error(`${source.file} is damaged (${damage}): ${source.remedy}`);
    });
  } catch (error) {
    throw copyFailure(source.file, target, error);
  } finally {
    database?.close();
  }
}

/** Copies a file byte by byte, also one that is no database any more. As `backupFile` otherwise. */
export async function copyFile(source: string, target: string): Promise<void> {
  try {
    await writeWhole(target, (side) => copyFileSync(source, side));
  } catch (error) {
    throw copyFailure(source, target, error);
  }
}

/** SQLite reads a file only when it is asked something. */
function openReadable(named: NamedFile): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(named.file, { readOnly: true });
    database.prepare('select count(*) from sqlite_schema').get();
    return database;
  } catch (error) {
    database?.close();
    throw fileFailure(named, error, 'data_invalid');
  }
}

/** Writes a file under another name, and gives it its own once it is whole. */
async function writeWhole(target: string, write: (side: string) => void | Promise<void>): Promise<void> {
  const side = new SideFile(target);
  try {
    await write(side.path);
    side.commit();
  } finally {
    side.discard();
  }
}

function copyFailure(source: string, target: string, error: unknown): TonnageError {
  const message = `${source} cannot be copied to ${target}: ${messageOf(error)}`;
  return new TonnageError('data_invalid', message, { cause: error });
}

/**
 * The damage that SQLite finds in a file: one line each, none when it is whole. Reads all of it. Throws `data_invalid` when the
 * file cannot be opened, which is no damage.
 */
export function integrityProblems(named: NamedFile): readonly string[] {
  try {
    return problemsOf(named.file, 'integrity_check');
  } catch (error) {
    throw fileFailure(named, error, 'data_invalid');
  }
}

/** `quick_check` leaves out whether indexes agree with their tables. */
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

/** Moves all that the write-ahead log of a file holds into the file itself. No other process may have it open. */
export function emptyLog(named: NamedFile): void {
  care(named, 'its log cannot be emptied', ['pragma wal_checkpoint(truncate)']);
}

/**
 * Writes a file anew with nothing in it but what it holds, so that no page has bytes of what was deleted; its write-ahead
 * log is emptied too. No other process may have it open. Throws `data_invalid` when that fails (it needs the file's size once
 * more on disk); the file is whole then, as it was.
 */
export function compactFile(named: NamedFile): void {
  care(named, 'it cannot be written anew', ['vacuum', 'pragma wal_checkpoint(truncate)']);
}

function care(named: NamedFile, failure: string, statements: readonly string[]): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(named.file, { timeout: busyTimeoutMs });
    for (const statement of statements) {
      // A checkpoint that another connection is in the way of is no error to SQLite: its answer says so.
      const [answer] = database.prepare(statement).all();
      if (answer?.['busy'] === 1) throw new Error('another connection is reading it');
    }
  } catch (error) {
    const said = messageOf(fileFailure(named, error, 'data_invalid'));
    throw new TonnageError('data_invalid', `${named.file}: ${failure}: ${said}`, { cause: error });
  } finally {
    database?.close();
  }
}
