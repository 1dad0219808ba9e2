import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, TonnageError } from '../base/index.ts';

/** Whoever is not of the owner's group has no business with what people pull. */
const directoryMode = 0o750;

/**
 * Makes a directory, and those above it that are missing. Throws `data_invalid` that says what is in the way. Goes up
 * by itself: Node.js's own way (`recursive`) never ends where making a directory is answered with "no such directory", as
 * below /proc.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, directoryMode);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || isDirectory(parent)) throw refused(path, code, error);
    makeDirectory(parent);
    makeDirectory(path);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: 'there is something else of that name',
  ENOTDIR: 'a part of its path is no directory',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

function refused(path: string, code: unknown, error: unknown): TonnageError {
  const reason = (typeof code === 'string' ? reasons[code] : undefined) ?? messageOf(error);
  return new TonnageError('data_invalid', `${path} cannot be made a directory: ${reason}`, { cause: error });
}
