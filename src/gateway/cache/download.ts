import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

import { assert, limits, messageOf } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { BlobAnswer } from '../upstream/client.ts';
import { connectionFailure } from '../upstream/connection.ts';
import { endlessBlob, UpstreamError } from '../upstream/failure.ts';
import { abandon } from '../upstream/send.ts';
import type { BlobFiles, TempFile } from './blob-files.ts';
import { TempWriter } from './temp-writer.ts';

/**
 * How far a download is. `asking` until the upstream's headers are there; `running` while the file grows; `verified` once
 * the digest is known to be right; `failed` when there will be no blob; `detached` when the disk does not take it, so
 * that each reader has to fetch the rest by itself.
 */
export type DownloadState =
  | { readonly kind: 'asking' | 'running' | 'verified' }
  | { readonly kind: 'failed'; readonly error: UpstreamError }
  | { readonly kind: 'detached' };

/** What becomes of a download, for whoever started it. */
export interface DownloadEvents {
  /** All of the blob has arrived, and its digest is right. */
  readonly verified: () => void;
  /** The blob is on disk, under its own name. */
  readonly committed: (size: number) => void;
  /** The upstream sent something else, or not all of it. */
  readonly rejected: (error: UpstreamError) => void;
  /** The disk did not take it. */
  readonly diskFailed: (error: unknown) => void;
  /** Nobody may join any more. Called when it is given up, and when it is over: twice, perhaps. */
  readonly ended: () => void;
}

/** Marks what the disk said, apart from what the upstream said. */
class DiskError extends Error {}

async function onDisk<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((error: unknown) => {
    throw new DiskError(messageOf(error), { cause: error });
  });
}

/**
 * One blob on its way from an upstream to the disk, at full speed whatever its readers do. Readers follow the growing
 * file, each at its own offset: they look at `state` and `written`, and wait for `changed()`.
 */
export class Download {
  readonly digest: Digest;
  /** Key of the repository that it is fetched from: an answer confirms that the blob belongs to it, and to no other. */
  readonly source: string;
  readonly #files: BlobFiles;
  readonly #ask: (signal: AbortSignal) => Promise<BlobAnswer>;
  readonly #events: DownloadEvents;
  readonly #abort = new AbortController();
  #state: DownloadState = { kind: 'asking' };
  readonly #undeclaredBytesMax: number;
  #size: number | null;
  #written = 0;
  #readers = 0;
  #temp: TempFile | undefined;
  #over = false;
  #waiters: (() => void)[] = [];
  readonly #done: Promise<void>;

  /** Starts it. `expectedSize` is what a manifest says, for upstreams that send no length. */
  constructor(options: {
    readonly digest: Digest;
    readonly source: string;
    readonly expectedSize: number | null;
    /** Largest number of bytes that are accepted if the size is unknown. */
    readonly undeclaredBytesMax: number;
    readonly files: BlobFiles;
    readonly ask: (signal: AbortSignal) => Promise<BlobAnswer>;
    readonly events: DownloadEvents;
  }) {
    this.digest = options.digest;
    this.source = options.source;
    this.#size = options.expectedSize;
    this.#undeclaredBytesMax = options.undeclaredBytesMax;
    this.#files = options.files;
    this.#ask = options.ask;
    this.#events = options.events;
    this.#done = this.#run();
  }

  get state(): DownloadState {
    return this.#state;
  }

  /** Size of the whole blob; null while nobody has said it. */
  get size(): number | null {
    return this.#size;
  }

  /** Bytes that are in the file, and can be read from it. */
  get written(): number {
    return this.#written;
  }

  /** The growing file. Only while joined, and from `running` on. */
  get handle(): FileHandle {
    assert(
      this.#temp !== undefined && this.#readers > 0,
      'a download is read by those who joined it, once it has begun',
    );
    return this.#temp.handle;
  }

  /** Resolves when there is more to read or the state has changed; at once when it is over. */
  changed(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when the upstream has answered or failed. */
  async begun(): Promise<void> {
    while (this.#state.kind === 'asking') await this.changed();
  }

  join(): void {
    this.#readers++;
  }

  /** The counterpart of `join`. When nobody is left, a download that is not half done yet is given up. */
  leave(): void {
    assert(this.#readers > 0, 'only those who joined a download leave it');
    this.#readers--;
    if (this.#readers > 0) return;
    if (this.#over) void this.#closeFile();
    else if (!this.#isWorthFinishing()) this.abort();
  }

  /** Gives the download up. */
  abort(): void {
    this.#events.ended();
    this.#abort.abort();
  }

  /** Resolves when everything is over, the file included. Never rejects. */
  done(): Promise<void> {
    return this.#done;
  }

  #isWorthFinishing(): boolean {
    return this.#state.kind === 'verified' || (this.#size !== null && this.#written * 2 >= this.#size);
  }

  async #run(): Promise<void> {
    try {
      const answer = await this.#ask(this.#abort.signal);
      this.#size = answer.length ?? this.#size;
      const temp = await this.#openFile(answer.body);
      this.#become({ kind: 'running' });
      this.#size = await this.#receive(answer.body, temp);
      this.#events.verified();
      this.#become({ kind: 'verified' });
      await onDisk(this.#files.commit(temp, this.digest));
      this.#events.committed(this.#size);
    } catch (error) {
      await this.#fail(error);
    }
    this.#over = true;
    this.#events.ended();
    this.#notify();
    if (this.#readers === 0) await this.#closeFile();
  }

  async #openFile(body: BlobAnswer['body']): Promise<TempFile> {
    try {
      this.#temp = await onDisk(this.#files.createTemp());
      return this.#temp;
    } catch (error) {
      abandon(body);
      throw error;
    }
  }

  /** Takes the body in and answers its length. Rejects unless it is exactly the blob. */
  async #receive(body: BlobAnswer['body'], temp: TempFile): Promise<number> {
    const hash = createHash(this.digest.algorithm);
    const writer = new TempWriter(temp.handle, limits.downloadBufferBytesMax, (written) => {
      this.#written = written;
      this.#notify();
    });
    let received = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        received += chunk.byteLength;
        if (this.#size !== null && received > this.#size) break;
        if (this.#size === null && received > this.#undeclaredBytesMax) break;
        hash.update(chunk);
        await onDisk(writer.push(chunk));
      }
    } catch (error) {
      if (error instanceof DiskError || this.#abort.signal.aborted) throw error;
      throw this.#rejection(`broke off after ${received} bytes of a blob: ${connectionFailure(error).message}`);
    }
    await onDisk(writer.finish());
    if (this.#size === null && received > this.#undeclaredBytesMax) {
      throw this.#rejection(endlessBlob(this.#undeclaredBytesMax).message);
    }
    if (this.#size !== null && received !== this.#size) {
      throw this.#rejection(`sent ${received > this.#size ? 'more' : 'less'} than the ${this.#size} bytes of a blob`);
    }
    const hex = hash.digest('hex');
    if (hex !== this.digest.hex) throw this.#rejection(`sent a blob with the digest ${this.digest.algorithm}:${hex}`);
    return received;
  }

  #rejection(message: string): UpstreamError {
    const error = new UpstreamError('invalid', message);
    this.#events.rejected(error);
    return error;
  }

  async #fail(error: unknown): Promise<void> {
    this.#events.ended();
    if (error instanceof DiskError) {
      this.#events.diskFailed(error.cause);
      // A verified blob that could not be moved to its place is good for those who read it now.
      if (this.#state.kind !== 'verified') this.#become({ kind: 'detached' });
    } else {
      this.#become({ kind: 'failed', error: connectionFailure(error) });
    }
    const temp = this.#temp;
    if (temp !== undefined) await this.#files.discard(temp).catch(this.#events.diskFailed);
  }

  #become(state: DownloadState): void {
    this.#state = state;
    this.#notify();
  }

  #notify(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  async #closeFile(): Promise<void> {
    const temp = this.#temp;
    this.#temp = undefined;
    await temp?.handle.close().catch(this.#events.diskFailed);
  }
}
