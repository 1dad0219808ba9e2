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
import { moduleBeside } from '../thread/index.ts';
import type { WriterFunctions, WriterOptions } from './journal/program.ts';
import { ledgerApplicationId, ledgerMigrations } from './schema.ts';
import type { ReaderFunctions } from './totals/program.ts';

/** A ledger file, with the remedy if it is damaged. */
export function ledgerFile(file: string): NamedFile {
  const remedy =
    'tonnage ledger check prints the damage; tonnage ledger restore puts a backup in its place, and keeps this file';
  return { file, remedy };
}

/** Opens a ledger file for writing, and creates it if missing. The caller holds the lock of the data directory. */
export async function openLedgerDatabase(file: string): Promise<Database> {
  return openDatabase(optionsOf(file));
}

/** A ledger file with the functions of its two threads. */
export type LedgerDatabase = Database<WriterFunctions, ReaderFunctions>;

/** The same for writing batches and reading totals. */
export async function openLedgerThreads(file: string, options: WriterOptions): Promise<LedgerDatabase> {
  const program = { module: moduleBeside(import.meta.url, 'writer-thread'), options };
  return openDatabase({ ...optionsOf(file), program, readProgram });
}

const readProgram = { module: moduleBeside(import.meta.url, 'reader-thread'), options: undefined };

function optionsOf(file: string): DatabaseOptions {
  assertNotEmpty(file);
  closeCopies(file);
  const schema = { applicationId: ledgerApplicationId, migrations: ledgerMigrations };
  return { ...ledgerFile(file), ...schema, synchronous: 'full' };
}

/** Closes copies to other users that `restore` and `migrate` of older releases left open. */
function closeCopies(file: string): void {
  const directory = dirname(file);
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(`${basename(file)}.`)) makePrivate(join(directory, name));
  }
}

/** Opens an existing ledger file for reading, also while a server runs. */
export function openLedgerReadOnly(file: string): ReadOnlyDatabase<ReaderFunctions> {
  assertNotEmpty(file);
  return openReadOnly({ ...ledgerFile(file), readProgram, applicationId: ledgerApplicationId });
}

/**
 * Throws `data_invalid` for an empty file. SQLite would treat it as a new database, but a ledger is never empty:
 * something has truncated it, and its counts are lost.
 */
export function assertNotEmpty(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.size !== 0) return;
  throw new TonnageError(
    'data_invalid',
    `${file} is empty (0 bytes), which a ledger never is: a full disk or an interrupted copy may have cut it off. ` +
      'tonnage ledger restore puts a backup in its place; remove the file only to begin a new ledger without counts',
  );
}
