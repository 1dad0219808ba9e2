import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { TonnageError } from '../base/index.ts';
import { reasonOf, systemCodeOf } from './file-failure.ts';
import { closeToOthers, directoryMode } from './private-file.ts';

/**
 * Makes a directory for this user alone, and those above it that are missing. One that is there keeps its mode. Throws
 * `data_invalid` that says what is in the way. Goes up by itself: Node.js's own way (`recursive`) never ends where making a
 * directory is answered with "no such directory", as below /proc.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, directoryMode);
  } catch (error) {
    const code = systemCodeOf(error);
    if (isDirectory(path)) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || isDirectory(parent)) throw refused(path, error);
    makeDirectory(parent);
    makeDirectory(path);
  }
}

/** The same for a directory of ours that exists already: other users lose the access that an older release gave them. */
export function makePrivateDirectory(path: string): void {
  makeDirectory(path);
  closeToOthers(path);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function refused(path: string, error: unknown): TonnageError {
  return new TonnageError('data_invalid', `${path} cannot be made a directory: ${reasonOf(error)}`, { cause: error });
}
