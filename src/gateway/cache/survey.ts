import { statfs } from 'node:fs/promises';

import { messageOf, SingleFlight, type Log } from '../../base/index.ts';
import type { Amount } from '../amount.ts';
import type { Blobs } from './blobs.ts';
import type { Catalog } from './catalog.ts';

/** Space on the file system of the cache, in bytes. */
interface DiskSpace {
  /** Bytes that this process may still write. */
  readonly free: number;
  readonly size: number;
}

export interface CacheSurveyOptions {
  readonly directory: string;
  readonly blobs: Blobs;
  readonly catalog: Catalog;
  readonly log: Log;
}

/**
 * Counts what the cache has on disk. Each survey counts from scratch, so the result is correct even if another program
 * changed the files. A value that could not be determined is null, because an old one would be misleading.
 */
export class CacheSurvey {
  readonly #options: CacheSurveyOptions;
  readonly #surveys = new SingleFlight<void>();
  #blobs: Amount | null = null;
  #manifests: Amount | null = null;
  #space: DiskSpace | null = null;

  constructor(options: CacheSurveyOptions) {
    this.#options = options;
  }

  /** Takes a survey, or joins the one in progress. Never rejects. */
  take(): Promise<void> {
    return this.#surveys.run('all', () => this.#take());
  }

  /** Files of verified blobs. */
  get blobs(): Amount | null {
    return this.#blobs;
  }

  /** Distinct manifests, and the bytes of their bodies. */
  get manifests(): Amount | null {
    return this.#manifests;
  }

  get space(): DiskSpace | null {
    return this.#space;
  }

  async #take(): Promise<void> {
    const { directory, blobs, catalog } = this.#options;
    [this.#blobs, this.#manifests, this.#space] = await Promise.all([
      this.#orNull(blobs.onDisk()),
      this.#orNull(catalog.bodies()),
      this.#orNull(spaceOf(directory)),
    ]);
  }

  async #orNull<Value>(work: Promise<Value>): Promise<Value | null> {
    try {
      return await work;
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'cannot survey a part of the image cache');
      return null;
    }
  }
}

async function spaceOf(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { free: bavail * bsize, size: blocks * bsize };
}
