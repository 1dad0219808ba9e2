import { open, readdir, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { codeOf, type Random } from '../../base/index.ts';
import { digestAlgorithms, parseDigest, type Digest } from '../../oci/index.ts';
import { makePrivateDirectory } from '../../sqlite/index.ts';
import type { Amount } from '../amount.ts';

/** The file of a download. Readers read it while it grows. */
export interface TempFile {
  readonly path: string;
  /** Open for writing and reading. */
  readonly handle: FileHandle;
}

/** A verified blob, open for reading. The caller closes it. */
export interface BlobFile {
  readonly handle: FileHandle;
  readonly size: number;
}

/** Directory entries per turn of the event loop. */
const namesPerTurn = 1_000;

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/**
 * The files of the blob cache. `<directory>/blobs/<algorithm>/<hex>` are verified blobs. `<directory>/tmp` has
 * downloads in progress. After fsync, a verified download is renamed atomically.
 */
export class BlobFiles {
  readonly #directory: string;
  readonly #random: Random;

  private constructor(directory: string, random: Random) {
    this.#directory = directory;
    this.#random = random;
  }

  /** Creates missing directories with mode 0700, and removes unfinished downloads of earlier processes. */
  static async open(directory: string, random: Random): Promise<BlobFiles> {
    await rm(join(directory, 'tmp'), { recursive: true, force: true });
    const folders = ['tmp', 'blobs', ...digestAlgorithms.map((algorithm) => join('blobs', algorithm))];
    for (const folder of folders) makePrivateDirectory(join(directory, folder));
    return new BlobFiles(directory, random);
  }

  /** Returns the digests of all blobs on disk. Files with other names are ignored. */
  async digests(): Promise<readonly Digest[]> {
    const lists = digestAlgorithms.map(async (algorithm) => {
      const names = await readdir(join(this.#directory, 'blobs', algorithm));
      return names.flatMap((name) => parseDigest(`${algorithm}:${name}`) ?? []);
    });
    return (await Promise.all(lists)).flat();
  }

  /**
   * Counts the blobs on disk and their bytes. `knownSize` saves a `stat` per file. Yields to the event loop between
   * chunks of entries.
   */
  async amount(knownSize: (digest: string) => number | undefined): Promise<Amount> {
    let count = 0;
    let bytes = 0;
    for (const algorithm of digestAlgorithms) {
      const names = await readdir(join(this.#directory, 'blobs', algorithm));
      for (const [index, name] of names.entries()) {
        if (index % namesPerTurn === namesPerTurn - 1) await nextTurn();
        const text = `${algorithm}:${name}`;
        const size = knownSize(text) ?? (await this.#sizeOf(parseDigest(text)));
        if (size === null) continue;
        count++;
        bytes += size;
      }
    }
    return { count, bytes };
  }

  /** Size of a blob's file. Null if there is no digest, or the file was removed in the meantime. */
  async #sizeOf(digest: Digest | null): Promise<number | null> {
    if (digest === null) return null;
    return this.size(digest).catch((error: unknown) => {
      if (isAbsent(error)) return null;
      throw error;
    });
  }

  async size(digest: Digest): Promise<number> {
    return (await stat(this.#path(digest))).size;
  }

  /** Opens a blob. Null if there is no such file. */
  async openBlob(digest: Digest): Promise<BlobFile | null> {
    try {
      const handle = await open(this.#path(digest), 'r');
      try {
        return { handle, size: (await handle.stat()).size };
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  async createTemp(): Promise<TempFile> {
    const path = join(this.#directory, 'tmp', this.#random.uuid());
    return { path, handle: await open(path, 'wx+', 0o600) };
  }

  /** Renames a verified file to the blob's name, in a way that survives power loss. */
  async commit(temp: TempFile, digest: Digest): Promise<void> {
    await temp.handle.sync();
    await rename(temp.path, this.#path(digest));
    const folder = await open(join(this.#directory, 'blobs', digest.algorithm), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Unlinks a temp file, if it still exists. Its handle stays usable until it is closed. */
  async discard(temp: TempFile): Promise<void> {
    await unlink(temp.path).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  #path(digest: Digest): string {
    return join(this.#directory, 'blobs', digest.algorithm, digest.hex);
  }
}
