import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { TonnageError } from '../../base/index.ts';
import { backupFile, emptyLog } from '../../sqlite/index.ts';
import { inspectLedger, type LedgerFinding } from './check.ts';
import { assertLedger } from './file.ts';

/** Files that SQLite keeps beside a database; they belong to its name. */
const sides = ['-wal', '-shm'] as const;

/** Copies the ledger, as it is at one moment, to a file that must not exist. Safe while a server runs. */
export async function backupLedger(file: string, target: string): Promise<void> {
  assertLedger(file);
  if (existsSync(target)) throw new TonnageError('data_invalid', `${target} exists already: name a file that does not`);
  if (!existsSync(dirname(target))) {
    throw new TonnageError('data_invalid', `${dirname(target)} does not exist: name a file in a directory that does`);
  }
  await backupFile(file, target);
}

/** What came of putting a backup in the ledger's place. */
export interface Restored {
  /** Where that is kept which was there before; absent where nothing was. */
  readonly keptAs?: string;
  /** What is wrong with the backup, and is mended by a rebuild. */
  readonly findings: readonly string[];
}

/**
 * Puts a backup in the ledger's place; what was there is kept beside it. The caller holds the lock of the data directory.
 * Throws `data_invalid` for a backup that is no ledger, and for one with findings: with `takesFindings` only if there are
 * some that a rebuild does not mend.
 */
export async function restoreLedger(file: string, backup: string, takesFindings: boolean): Promise<Restored> {
  const wasAlone = !hasSides(backup);
  const findings = await inspectLedger(backup);
  const fresh = `${file}.restoring`;
  try {
    refuseFindings(file, backup, findings, takesFindings);
    removeLedger(fresh);
    // Not byte by byte: a copy that was made beside a running server has its last commits in a file beside it.
    await backupFile(backup, fresh);
  } finally {
    if (wasAlone) removeSides(backup);
  }
  const keptAs = await replaceLedger(file, fresh, unused(`${file}.replaced`));
  return { ...(keptAs !== undefined && { keptAs }), findings: findings.map(({ line }) => line) };
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
    emptyLog(file);
  } catch (error) {
    // They are empty, and in nobody's way.
    if (!(error instanceof TonnageError)) throw error;
  }
}

/**
 * Renames `fresh` to `file`, in one step: at any moment one of the two is there, whole. What was there is kept as
 * `keptAs`, which is answered; nothing where there was nothing.
 */
export async function replaceLedger(file: string, fresh: string, keptAs: string): Promise<string | undefined> {
  // Its side files stay behind.
  emptyLog(fresh);
  const replaced = existsSync(file) ? keptAs : undefined;
  if (replaced !== undefined) await keep(file, replaced);
  // What the side files hold would be taken for part of the new file.
  for (const side of sides) rmSync(`${file}${side}`, { force: true });
  sync(fresh);
  renameSync(fresh, file);
  sync(dirname(file));
  return replaced;
}

/** The name itself, or with the first number behind it that no file has: what was kept before stays. */
function unused(name: string): string {
  let free = name;
  for (let number = 2; existsSync(free); number++) free = `${name}-${number}`;
  return free;
}

/** Removes a database with its side files, where they are. */
export function removeLedger(file: string): void {
  for (const side of ['', ...sides]) rmSync(`${file}${side}`, { force: true });
}

/** Copies a ledger with what its side files hold, which are empty afterwards; one that is damaged byte by byte. */
async function keep(file: string, copy: string): Promise<void> {
  removeLedger(copy);
  try {
    await backupFile(file, copy);
    emptyLog(file);
  } catch (error) {
    if (!(error instanceof TonnageError)) throw error;
    removeLedger(copy);
    copyFileSync(file, copy);
    if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
  }
}

/** Makes what was written outlast a power failure. */
function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
