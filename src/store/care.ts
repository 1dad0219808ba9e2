import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { TonnageError } from '../base/index.ts';
import { backupFile, integrityProblems, openDatabase, openReadOnly } from '../sqlite/index.ts';
import { differencesSql, rebuildSql, rollUps } from './care-sql.ts';
import { ledgerApplicationId, ledgerMigrations } from './schema.ts';

/** Reading a whole ledger takes its time; nobody waits for it but the person who asked. */
const careMsMax = 60 * 60_000;

/**
 * Looks for what cannot be in a sound ledger: damage to the file, and roll-ups that are not the sums of their details.
 * Answers one line for each finding. Safe while a server runs.
 */
export async function checkLedger(file: string): Promise<readonly string[]> {
  assertLedger(file);
  const damage = integrityProblems(file);
  if (damage.length > 0) return damage.map((line) => `the file is damaged: ${line}`);
  const database = openReadOnly({ file, applicationId: ledgerApplicationId });
  try {
    const [mark = []] = await database.read('pragma application_id');
    if (mark[0] !== BigInt(ledgerApplicationId)) return ['the file is a database, but no ledger'];
    const findings: string[] = [];
    for (const rollUp of rollUps) {
      const [row = []] = await database.read(differencesSql(rollUp), [], { deadlineMs: careMsMax });
      const [wrong, missing] = row.map(Number);
      if (wrong || missing) {
        findings.push(`${rollUp.table}: ${wrong} sums are not those of their days, ${missing} are missing or other`);
      }
    }
    return findings;
  } finally {
    await database.close();
  }
}

/** Makes all roll-ups anew out of the details, in one transaction. The caller holds the lock of the data directory. */
export async function rebuildLedger(file: string): Promise<void> {
  assertLedger(file);
  const database = await openDatabase({
    file,
    applicationId: ledgerApplicationId,
    migrations: ledgerMigrations,
    synchronous: 'full',
  });
  try {
    await database.transact(rollUps.flatMap((rollUp) => rebuildSql(rollUp).map((sql) => ({ sql, rows: [[]] }))));
  } finally {
    await database.close();
  }
}

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
  const replaced = existsSync(file) ? `${file}.replaced` : undefined;
  if (replaced !== undefined) {
    // A copy that holds what the side files held, since those belong to the name and not to the file.
    rmSync(replaced, { force: true });
    await backupFile(file, replaced);
  }
  for (const side of ['', '-wal', '-shm']) rmSync(`${file}${side}`, { force: true });
  renameSync(fresh, file);
  return replaced;
}

function assertLedger(file: string): void {
  if (!existsSync(file)) throw new TonnageError('not_found', `${file} does not exist: there is no ledger`);
}
