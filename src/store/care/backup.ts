import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { TonnageError } from '../../base/index.ts';
import { backupFile } from '../../sqlite/index.ts';
import { checkLedger } from './check.ts';
import { assertLedger } from './file.ts';

/** Files that SQLite keeps beside a database; they belong to its name. */
const sides = ['', '-wal', '-shm'] as const;

/** Copies the ledger, as it is at one moment, to a file that must not exist. Safe while a server runs. */
export async function backupLedger(file: string, target: string): Promise<void> {
  assertLedger(file);
  if (existsSync(target)) throw new TonnageError('data_invalid', `${target} exists already: name a file that does not`);
  await backupFile(file, target);
}

/**
 * Puts a backup in the ledger's place; what was there is kept beside it, under the name that is answered. The caller holds
 * the lock of the data directory. Throws `data_invalid` for a backup that is damaged or no ledger.
 */
export async function restoreLedger(file: string, backup: string): Promise<string | undefined> {
  const findings = await checkLedger(backup);
  if (findings.length > 0) throw new TonnageError('data_invalid', `${backup} is not restored: ${findings.join('; ')}`);
  const fresh = `${file}.restoring`;
  copyFileSync(backup, fresh);
  return replaceLedger(file, fresh, `${file}.replaced`);
}

/** Renames `fresh` to `file`. What was there is kept as `keptAs`, which is answered; nothing where there was nothing. */
export async function replaceLedger(file: string, fresh: string, keptAs: string): Promise<string | undefined> {
  const replaced = existsSync(file) ? keptAs : undefined;
  if (replaced !== undefined) {
    // A copy that holds what the side files held, since those belong to the name and not to the file.
    rmSync(replaced, { force: true });
    await backupFile(file, replaced);
  }
  removeLedger(file);
  renameSync(fresh, file);
  return replaced;
}

/** Removes a database with its side files, where they are. */
export function removeLedger(file: string): void {
  for (const side of sides) rmSync(`${file}${side}`, { force: true });
}
