import { statfs } from 'node:fs/promises';

import { messageOf, SingleFlight, type Log } from '../../base/index.ts';
import type { Amount } from '../amount.ts';
import type { Blobs } from './blobs.ts';
import type { Catalog } from './catalog.ts';

/** Room on the file system that the cache is on, in bytes. */
export interface Room {
  /** What this process may still write. */
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
 * What the cache has on disk, looked up anew each time and never summed up from changes, so that it is right whatever
 * happened to the files meanwhile. What could not be looked up is null: an old figure would be believed.
 */
export class CacheSurvey {
  readonly #options: CacheSurveyOptions;
  readonly #surveys = new SingleFlight<void>();
  #blobs: Amount | null = null;
  #manifests: Amount | null = null;
  #room: Room | null = null;

  constructor(options: CacheSurveyOptions) {
    this.#options = options;
  }

  /** Looks everything up; joins a look-up that is under way. Never rejects. */
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

  get room(): Room | null {
    return this.#room;
  }

  async #take(): Promise<void> {
    const { directory, blobs, catalog } = this.#options;
    [this.#blobs, this.#manifests, this.#room] = await Promise.all([
      this.#found(blobs.onDisk()),
      this.#found(catalog.bodies()),
      this.#found(roomOf(directory)),
    ]);
  }

  async #found<Value>(work: Promise<Value>): Promise<Value | null> {
    try {
      return await work;
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'a part of the image cache could not be surveyed');
      return null;
    }
  }
}

async function roomOf(directory: string): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { free: bavail * bsize, size: blocks * bsize };
}
