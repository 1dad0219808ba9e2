import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TonnageError } from '../../base/index.ts';
import { backupFile, checkpointLog, copyFile, syncPath } from '../../sqlite/index.ts';
import type { LedgerFinding, Restored } from '../../store/index.ts';
import { assertLedger, withLedgerFile } from '../facts.ts';
import { ledgerFile } from '../open.ts';
import { inspectLedger } from './check.ts';

/** Files that SQLite keeps beside a database; they belong to its name. */
const sides = ['-wal', '-shm'] as const;

/** As `LedgerFile.backup`. If it is interrupted, the target does not exist. */
export async function backupLedger(file: string, target: string): Promise<void> {
  assertLedger(file);
  if (existsSync(target)) throw new TonnageError('data_invalid', `${target} exists already: name a file that does not`);
  if (!existsSync(dirname(target))) {
    throw new TonnageError('data_invalid', `${dirname(target)} does not exist: name a file in a directory that does`);
  }
  await backupFile(ledgerFile(file), target);
}

/** As `LedgerFile.restore`. */
export async function restoreLedger(file: string, backup: string, takesFindings: boolean): Promise<Restored> {
  refuseEmpty(backup);
  const wasAlone = !hasSides(backup);
  const findings = await inspectLedger(backup);
  const fresh = `${file}.restoring`;
  try {
    refuseFindings(file, backup, findings, takesFindings);
    removeLedger(fresh);
    // Not byte by byte: a copy that was made beside a running server has its last commits in a file beside it.
    await backupFile(ledgerFile(backup), fresh);
    await markRestored(fresh);
  } finally {
    if (wasAlone) removeSides(backup);
  }
  const keptAs = await replaceLedger(file, fresh, unused(`${file}.replaced`));
  return { ...(keptAs !== undefined && { keptAs }), findings: findings.map(({ line }) => line) };
}

function refuseEmpty(backup: string): void {
  if (!isEmpty(backup)) return;
  throw new TonnageError('data_invalid', `${backup} is empty (0 bytes), so it is no backup: name another one`);
}

/**
 * A store elsewhere may have what this ledger counted after the backup, and the numbers of its batches do not show it once the
 * ledger has counted on. So only a rebuild lets a restored ledger deliver again.
 */
async function markRestored(fresh: string): Promise<void> {
  const reason =
    'the ledger was restored from a backup, so its store may have batches that the ledger does not have; stop the server and ' +
    'run tonnage ledger rebuild';
  await withLedgerFile(fresh, (database) =>
    database.transact([{ sql: 'update ledger set gap = ?, gap_lasts = 1', rows: [[reason]] }]),
  );
}

function refuseFindings(
  file: string,
  backup: string,
  findings: readonly LedgerFinding[],
  takesFindings: boolean,
): void {
  const lasting = findings.filter(({ isMendable }) => !isMendable);
  if (findings.length === 0 || (takesFindings && lasting.length === 0)) return;
  const way =
    lasting.length === 0
      ? 'tonnage ledger rebuild mends that: restore it with --with-findings, then run tonnage ledger rebuild'
      : `tonnage ledger rebuild does not mend that: restore another backup; to look into this one, copy it, with the side files beside it, to the place of ${file} by hand`;
  throw new TonnageError(
    'data_invalid',
    `${backup} is not restored: ${findings.map(({ line }) => line).join('; ')}; ${way}`,
  );
}

function hasSides(file: string): boolean {
  return sides.some((side) => existsSync(`${file}${side}`));
}

/** Removes the side files that reading has left behind, as SQLite does it: not while somebody else has the file open. */
function removeSides(file: string): void {
  if (!hasSides(file)) return;
  try {
    checkpointLog(ledgerFile(file));
  } catch (error) {
    // They are empty, and in nobody's way.
    if (!(error instanceof TonnageError)) throw error;
  }
}

/**
 * Copies the ledger to `fresh` and runs `work` on the copy. If `isWanted`, the copy then replaces the ledger, which is kept as
 * `keptAs`.
 */
export async function replaceByCopy<T>(
  file: string,
  { fresh, keptAs }: { readonly fresh: string; readonly keptAs: string },
  work: (fresh: string) => Promise<T>,
  isWanted: (result: T) => boolean,
): Promise<{ readonly result: T; readonly keptAs?: string }> {
  removeLedger(fresh);
  await backupFile(ledgerFile(file), fresh);
  const result = await work(fresh);
  if (isWanted(result)) {
    const kept = await replaceLedger(file, fresh, keptAs);
    return { result, ...(kept !== undefined && { keptAs: kept }) };
  }
  removeLedger(fresh);
  return { result };
}

/**
 * Renames `fresh` to `file`, in one step: at any moment one of the two is there, whole. What was there is kept as
 * `keptAs`, which is answered; nothing where there was nothing.
 */
export async function replaceLedger(file: string, fresh: string, keptAs: string): Promise<string | undefined> {
  // Its side files stay behind.
  checkpointLog(ledgerFile(fresh));
  const replaced = existsSync(file) ? keptAs : undefined;
  if (replaced !== undefined) await keep(file, replaced);
  // What the side files hold would be taken for part of the new file.
  for (const side of sides) rmSync(`${file}${side}`, { force: true });
  syncPath(fresh);
  renameSync(fresh, file);
  syncPath(dirname(file));
  return replaced;
}

/** The name itself, or with the first number behind it that no file has: what was kept before stays. */
function unused(name: string): string {
  let free = name;
  for (let number = 2; existsSync(free); number++) free = `${name}-${number}`;
  return free;
}

/** Removes a database with its side files, where they are. */
function removeLedger(file: string): void {
  for (const side of ['', ...sides]) rmSync(`${file}${side}`, { force: true });
}

/** Copies a ledger with what its side files hold, which are empty afterwards; one that is damaged byte by byte. */
async function keep(file: string, copy: string): Promise<void> {
  for (const side of sides) rmSync(`${copy}${side}`, { force: true });
  // SQLite treats an empty file as a new database and deletes its write-ahead log.
  if (isEmpty(file)) return keepBytes(file, copy);
  try {
    await backupFile(ledgerFile(file), copy);
    checkpointLog(ledgerFile(file));
  } catch (error) {
    if (!(error instanceof TonnageError)) throw error;
    await keepBytes(file, copy);
  }
}

async function keepBytes(file: string, copy: string): Promise<void> {
  const log = `${file}-wal`;
  // Before the file itself: where that is, all of it is.
  if (existsSync(log) && !isEmpty(log)) await copyFile(log, `${copy}-wal`);
  await copyFile(file, copy);
}

function isEmpty(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === 0;
}
