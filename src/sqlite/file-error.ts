import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, messageOf, TonnageError, type ErrorCode } from '../base/index.ts';

/** Result codes of SQLite (the low byte of `errcode`) that concern the file, not a statement. */
const results = { permission: 3, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };
/** The extended result code for a file that ends in the middle of a page. */
const shortRead = 522;

const notOpened = [results.permission, results.readOnly, results.cannotOpen];

/** Whether SQLite reports that the file's content is damaged, and not just that it cannot be read or written now. */
export function isDamage(error: unknown): boolean {
  const code = resultOf(error);
  return code === shortRead || [results.corrupt, results.notADatabase].includes(primary(code));
}

/** A database file, and the remedy if it is damaged. */
export interface NamedFile {
  readonly file: string;
  /** What the operator can do about a damaged file; ends a sentence, for example `restore a backup`. */
  readonly remedy: string;
}

/**
 * Converts an error of SQLite into one that names the file, the reason and the remedy: `data_invalid` for a damaged
 * file, `code` otherwise. Returns an error that does not concern the file (a constraint, a `TonnageError`) unchanged.
 */
export function toFileError({ file, remedy }: NamedFile, error: unknown, code: ErrorCode): unknown {
  if (error instanceof TonnageError) return error;
  if (isDamage(error)) {
    return new TonnageError('data_invalid', `${file} is damaged (${messageOf(error)}): ${remedy}`, { cause: error });
  }
  const text = reasonOfFile(file, primary(resultOf(error)), error);
  return text === undefined ? error : new TonnageError(code, text, { cause: error });
}

function reasonOfFile(file: string, result: number, error: unknown): string | undefined {
  if (notOpened.includes(result)) {
    return `${file} cannot be opened: ${whyNotOpened(file) ?? messageOf(error)}`;
  }
  if (result === results.full) return `${file} cannot be written: the disk is full; free some space`;
  if (result === results.ioError) {
    return `${file}: ${messageOf(error)}: the disk failed to read or write; check the system log and the free space`;
  }
  return undefined;
}

/** Why SQLite cannot open a file; `undefined` if unknown. SQLite creates side files even to read a database. */
function whyNotOpened(file: string): string | undefined {
  const directory = dirname(file);
  if (!existsSync(directory)) return `${directory} does not exist`;
  const ofFile = existsSync(file) ? accessFailure(file, constants.R_OK | constants.W_OK) : undefined;
  const ofDirectory = accessFailure(directory, constants.W_OK);
  const needs = `SQLite creates files next to a database even to read it, so make ${directory} writable, or copy the files to a writable directory`;
  if (codeOf(ofFile ?? ofDirectory) === 'EROFS') return `the file system is read-only; ${needs}`;
  if (ofFile !== undefined) return 'this user may not read and write it; check its owner and mode';
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
