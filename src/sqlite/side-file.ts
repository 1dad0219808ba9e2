import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TonnageError } from '../base/index.ts';
import { reasonOf } from './file-failure.ts';
import { createPrivateFile } from './private-file.ts';

/**
 * A file that is written under another name and takes its own once it is whole: whatever interrupts the writer, `target`
 * is absent, as it was, or complete.
 *
 *     const side = new SideFile(target);
 *     try {
 *       ... write side.path ...
 *       side.commit();
 *     } finally {
 *       side.discard();
 *     }
 */
export class SideFile {
  readonly #target: string;
  readonly #directory: string;

  /**
   * Makes an empty file, for this user alone, in a directory of its own beside `target`; files that SQLite keeps beside a
   * database lie there too. Removes what interrupted writers of the same target have left. Throws `data_invalid`.
   */
  constructor(target: string) {
    this.#target = target;
    try {
      removeLeftovers(target);
      this.#directory = mkdtempSync(`${target}${mark}`);
      createPrivateFile(this.path);
    } catch (error) {
      throw new TonnageError('data_invalid', `${target} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  get path(): string {
    return join(this.#directory, basename(this.#target));
  }

  /** Gives the file its name, in a way that survives power loss. */
  commit(): void {
    syncPath(this.path);
    renameSync(this.path, this.#target);
    syncPath(dirname(this.#target));
  }

  /** Removes what was not committed. */
  discard(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Between a target's name and the six characters that make the directory's name unique. */
const mark = '.partial-';

function removeLeftovers(target: string): void {
  const beginning = `${basename(target)}${mark}`;
  for (const entry of readdirSync(dirname(target), { withFileTypes: true })) {
    const isLeftover = entry.isDirectory() && entry.name.startsWith(beginning);
    if (isLeftover && entry.name.length === beginning.length + 6) {
      rmSync(join(dirname(target), entry.name), { recursive: true, force: true });
    }
  }
}

/** Makes what was written to a file, or the names in a directory, outlast a power failure. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
