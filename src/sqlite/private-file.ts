import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { systemCodeOf } from './file-failure.ts';

/** Ledger, images and locks are for the user of the server alone. */
export const fileMode = 0o600;
export const directoryMode = 0o700;

/** The bits of a mode that let other users in. */
const others = 0o077;

/** Creates an empty file for this user alone. Throws the system's error (`EEXIST`) where there is something already. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'wx', fileMode));
}

/** Whether other users may do anything with a file or a directory. False where there is nothing. */
export function isOpenToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & others) !== 0;
}

/**
 * Takes away what other users may do with a file or directory that an older release, a copy or a lax umask left open to
 * them. Leaves it as it is where this user may not change it, or the file system has no modes.
 */
export function closeToOthers(path: string): void {
  if (!isOpenToOthers(path)) return;
  try {
    chmodSync(path, statSync(path).isDirectory() ? directoryMode : fileMode);
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EROFS', 'ENOTSUP', 'ENOENT'].includes(systemCodeOf(error) ?? '')) throw error;
  }
}
