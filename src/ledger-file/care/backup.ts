import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TonnageError } from '../../base/index.ts';
import { backupFile, checkpointLog, copyFile, syncPath } from '../../sqlite/index.ts';
import type { LedgerFinding, Restored } from '../../store/index.ts';
import { assertLedger, withLedgerFile } from '../facts.ts';
import { ledgerFile } from '../open.ts';
import { inspectLedger } from './check.ts';

/** Suffixes of SQLite's side files. */
const sides = ['-wal', '-shm'] as const;

/** As `LedgerFile.backup`. If it is interrupted, the copy does not exist. */
export async function backupLedger(file: string, copy: string): Promise<void> {
  assertLedger(file);
  if (existsSync(copy)) throw new TonnageError('data_invalid', `${copy} exists already: name a file that does not`);
  if (!existsSync(dirname(copy))) {
    throw new TonnageError('data_invalid', `${dirname(copy)} does not exist: name a file in a directory that does`);
  }
  await backupFile(ledgerFile(file), copy);
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
    // Not byte by byte: a copy that was made while a server ran has its last commits in a side file.
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
 * A remote store may have what this ledger counted after the backup. Once the ledger has counted more, its batch
 * numbers do not show that. So a restored ledger delivers only after a rebuild.
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

/** Removes the side files that reading has left, as SQLite does: not while another process has the file open. */
function removeSides(file: string): void {
  if (!hasSides(file)) return;
  try {
    checkpointLog(ledgerFile(file));
  } catch (error) {
    // They are empty and harmless.
    if (!(error instanceof TonnageError)) throw error;
  }
}

/**
 * Copies the ledger to `fresh` and runs `work` on the copy. If `isWanted`, the copy then replaces the ledger, which is
 * kept as `keptAs`.
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

/** Renames `fresh` to `file` atomically. Keeps a file that was there as `keptAs`, and then resolves with that name. */
export async function replaceLedger(file: string, fresh: string, keptAs: string): Promise<string | undefined> {
  // A rename does not move side files.
  checkpointLog(ledgerFile(fresh));
  const replaced = existsSync(file) ? keptAs : undefined;
  if (replaced !== undefined) await keep(file, replaced);
  // SQLite would apply the old side files to the new file.
  for (const side of sides) rmSync(`${file}${side}`, { force: true });
  syncPath(fresh);
  renameSync(fresh, file);
  syncPath(dirname(file));
  return replaced;
}

/** `name`, or the first of `name-2`, `name-3`... that does not exist: files that were kept before stay. */
function unused(name: string): string {
  let free = name;
  for (let number = 2; existsSync(free); number++) free = `${name}-${number}`;
  return free;
}

/** Removes a database and its side files, if they exist. */
function removeLedger(file: string): void {
  for (const side of ['', ...sides]) rmSync(`${file}${side}`, { force: true });
}

/** Copies a ledger with its write-ahead log, which is empty afterwards. Copies a damaged ledger byte by byte. */
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
  // The log first: a copy of the file then always has its log.
  if (existsSync(log) && !isEmpty(log)) await copyFile(log, `${copy}-wal`);
  await copyFile(file, copy);
}

function isEmpty(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.size === 0;
}
