import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TonnageError } from '../base/index.ts';
import {
  makePrivate,
  openDatabase,
  openReadOnly,
  type Database,
  type DatabaseOptions,
  type NamedFile,
  type ReadOnlyDatabase,
} from '../sqlite/index.ts';
import { ledgerApplicationId, ledgerMigrations } from './schema.ts';

/** A ledger file with what helps when it is damaged. */
export function ledgerFile(file: string): NamedFile {
  const remedy =
    'tonnage ledger check prints the damage; tonnage ledger restore puts a backup in its place, and keeps this file';
  return { file, remedy };
}

/** Opens a ledger file for writing; it is created when absent. The caller holds the lock of the data directory. */
export async function openLedgerDatabase(
  file: string,
  programs: Pick<DatabaseOptions, 'program' | 'readProgram'> = {},
): Promise<Database> {
  assertNotEmpty(file);
  closeCopies(file);
  return openDatabase({
    ...ledgerFile(file),
    ...programs,
    applicationId: ledgerApplicationId,
    migrations: ledgerMigrations,
    synchronous: 'full',
  });
}

/** Copies that `restore` and `migrate` of an older release have kept may be open to other users. */
function closeCopies(file: string): void {
  const directory = dirname(file);
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(`${basename(file)}.`)) makePrivate(join(directory, name));
  }
}

/** Opens a ledger file, which is there, for reading, also while a server writes it. */
export function openLedgerReadOnly(
  file: string,
  programs: Pick<DatabaseOptions, 'readProgram'> = {},
): ReadOnlyDatabase {
  assertNotEmpty(file);
  return openReadOnly({ ...ledgerFile(file), ...programs, applicationId: ledgerApplicationId });
}

/**
 * Throws `data_invalid` for a file without content. SQLite would take it for a new database; a ledger file of ours is never
 * empty, so something has cut it off, and its counts are gone.
 */
export function assertNotEmpty(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size !== 0) return;
  throw new TonnageError(
    'data_invalid',
    `${file} is empty (0 bytes), which a ledger never is: a full disk or an interrupted copy may have cut it off. ` +
      'tonnage ledger restore puts a backup in its place; remove the file only to begin a new ledger without counts',
  );
}
