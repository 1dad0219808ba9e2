import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, TonnageError, type ErrorCode } from '../base/index.ts';

/** Result codes of SQLite (the low byte of `errcode`) that are about the file and not about a statement. */
const results = { permission: 3, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };
/** The extended code of a file that ends in the middle of a page. */
const shortRead = 522;

const aboutWriting = [results.permission, results.readOnly, results.cannotOpen];

/** What each error of the operating system means, in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EEXIST: 'there is something else of that name',
  ENOTDIR: 'a part of its path is no directory',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
};

/** The code that the operating system gave an error. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Why the operating system refused something, in words. */
export function reasonOf(error: unknown): string {
  return reasons[systemCodeOf(error) ?? ''] ?? messageOf(error);
}

/** Whether SQLite says that the content of the file is damaged: not that it cannot be read or written right now. */
export function isDamage(error: unknown): boolean {
  const code = resultOf(error);
  return code === shortRead || [results.corrupt, results.notADatabase].includes(primary(code));
}

/** A database file, and what helps when it is damaged. */
export interface NamedFile {
  readonly file: string;
  /** What the operator can do about damage, as the end of a sentence: `restore a backup`. */
  readonly remedy: string;
}

/**
 * Turns what SQLite said about a file into an error that names the file, the reason and the remedy: `data_invalid` for damage,
 * else an error with `code`. An error that is not about the file (a constraint, an error of ours) is returned as it is.
 */
export function fileFailure({ file, remedy }: NamedFile, error: unknown, code: ErrorCode): unknown {
  if (error instanceof TonnageError) return error;
  if (isDamage(error)) {
    return new TonnageError('data_invalid', `${file} is damaged (${messageOf(error)}): ${remedy}`, { cause: error });
  }
  const text = reasonOfFile(file, primary(resultOf(error)), error);
  return text === undefined ? error : new TonnageError(code, text, { cause: error });
}

function reasonOfFile(file: string, result: number, error: unknown): string | undefined {
  if (aboutWriting.includes(result)) {
    return `${file} cannot be opened: ${whyNotOpened(file) ?? messageOf(error)}`;
  }
  if (result === results.full) return `${file} cannot be written: the disk is full; free some space`;
  if (result === results.ioError) {
    return `${file}: ${messageOf(error)}: the disk refused to read or write; look at the system's log, and at the free space`;
  }
  return undefined;
}

/** The reason why SQLite cannot open a file. SQLite writes side files even to read a database. */
function whyNotOpened(file: string): string | undefined {
  const directory = dirname(file);
  if (!existsSync(directory)) return `${directory} does not exist`;
  const ofFile = existsSync(file) ? accessFailure(file, constants.R_OK | constants.W_OK) : undefined;
  const ofDirectory = accessFailure(directory, constants.W_OK);
  const needs = `SQLite writes beside a database even to read it, so make ${directory} writable, or copy the files to a directory that is`;
  if (systemCodeOf(ofFile ?? ofDirectory) === 'EROFS') return `the file system is read-only; ${needs}`;
  if (ofFile !== undefined) return 'this user may not read and write it; look at its owner and its mode';
  if (ofDirectory !== undefined) return `this user may not write to ${directory}; ${needs}`;
  return existsSync(file) ? undefined : 'it does not exist';
}

function accessFailure(path: string, mode: number): unknown {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return error;
  }
}

function resultOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0;
}

function primary(code: number): number {
  return code & 0xff;
}
