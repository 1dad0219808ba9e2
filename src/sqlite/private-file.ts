import { chmodSync, closeSync, openSync, statSync } from 'node:fs';
import { codeOf } from '../base/index.ts';

/** Only the server's user may read the ledger, images and locks. */
const fileMode = 0o600;
export const directoryMode = 0o700;

/** The mode bits that give other users access. */
const others = 0o077;

/** Creates an empty file that only this user may access. Throws the system's error, `EEXIST` if the path exists. */
export function createPrivateFile(path: string): void {
  closeSync(openSync(path, 'wx', fileMode));
}

/** Whether other users have any access to a file or directory. False if it does not exist. */
export function isAccessibleToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & others) !== 0;
}

/**
 * Removes other users' access to a file or directory, which an older release, a copy or a lax umask may have left. Does
 * nothing if this user may not change the mode or the file system has no modes.
 */
export function makePrivate(path: string): void {
  if (!isAccessibleToOthers(path)) return;
  try {
    chmodSync(path, statSync(path).isDirectory() ? directoryMode : fileMode);
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EROFS', 'ENOTSUP', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
  }
}
