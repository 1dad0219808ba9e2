import { closeSync, fsyncSync, mkdtempSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileErrorReason, TonnageError } from '../base/index.ts';
import { createPrivateFile } from './private-file.ts';

/**
 * A file that is written under a temporary name and renamed to `target` once it is complete. If the writer is
 * interrupted, `target` is unchanged.
 *
 *     const file = new AtomicFile(target);
 *     try {
 *       ... write file.path ...
 *       file.commit();
 *     } finally {
 *       file.discard();
 *     }
 */
export class AtomicFile {
  readonly #target: string;
  readonly #directory: string;

  /**
   * Creates an empty file with mode 0600 in a temporary directory next to `target`; SQLite's side files stay in that
   * directory. Removes the temporary directories of interrupted writers of the same target. Throws `data_invalid`.
   */
  constructor(target: string) {
    this.#target = target;
    try {
      removeLeftovers(target);
      this.#directory = mkdtempSync(`${target}${mark}`);
      createPrivateFile(this.path);
    } catch (error) {
      throw new TonnageError('data_invalid', `${target} cannot be written: ${fileErrorReason(error)}`, {
        cause: error,
      });
    }
  }

  get path(): string {
    return join(this.#directory, basename(this.#target));
  }

  /** Renames the file to `target`. Survives power loss. */
  commit(): void {
    syncPath(this.path);
    renameSync(this.path, this.#target);
    syncPath(dirname(this.#target));
  }

  /** Removes the temporary directory, with the file if it was not committed. */
  discard(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Separates the target's name from six random characters in the name of the temporary directory. */
const mark = '.partial-';

function removeLeftovers(target: string): void {
  const prefix = `${basename(target)}${mark}`;
  for (const entry of readdirSync(dirname(target), { withFileTypes: true })) {
    const isLeftover = entry.isDirectory() && entry.name.startsWith(prefix);
    if (isLeftover && entry.name.length === prefix.length + 6) {
      rmSync(join(dirname(target), entry.name), { recursive: true, force: true });
    }
  }
}

/** Flushes a file's content, or a directory's names, to disk, so that they survive power loss. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
