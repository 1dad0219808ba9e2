import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, fileErrorReason, TonnageError } from '../base/index.ts';
import { makePrivate, directoryMode } from './private-file.ts';

/**
 * Creates a directory that only this user may access, and its missing parents. An existing directory keeps its mode.
 * Throws `data_invalid` with the reason. Does not use `recursive`: it never returns if creating a directory always
 * fails with ENOENT, as below /proc.
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, directoryMode);
  } catch (error) {
    if (isDirectory(path)) return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path || isDirectory(parent)) throw notCreated(path, error);
    makeDirectory(parent);
    makeDirectory(path);
  }
}

/** As `makeDirectory`, and removes other users' access to a directory that exists. */
export function makePrivateDirectory(path: string): void {
  makeDirectory(path);
  makePrivate(path);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function notCreated(path: string, error: unknown): TonnageError {
  return new TonnageError('data_invalid', `the directory ${path} cannot be created: ${fileErrorReason(error)}`, {
    cause: error,
  });
}
