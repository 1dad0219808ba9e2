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
 * The state of a download:
 * - `pending` until the upstream's headers have arrived
 * - `running` while the file grows
 * - `verified` once the digest has been verified
 * - `failed` if there will be no blob
 * - `detached` if the disk cannot be written; each reader must then fetch the rest itself
 */
type DownloadState =
  | { readonly kind: 'pending' | 'running' | 'verified' }
  | { readonly kind: 'failed'; readonly error: UpstreamError }
  | { readonly kind: 'detached' };

/** Callbacks of a download. */
interface DownloadEvents {
  /** The complete blob has arrived and its digest is correct. */
  readonly verified: () => void;
  /** The blob is on disk under its final name. */
  readonly committed: (size: number) => void;
  /** The upstream sent a wrong or incomplete blob. */
  readonly rejected: (error: UpstreamError) => void;
  /** The disk could not be written. */
  readonly diskFailed: (error: unknown) => void;
  /** Readers may no longer join. May be called twice: on abort and at the end. */
  readonly ended: () => void;
}

/** Distinguishes errors of the disk from errors of the upstream. */
class DiskError extends Error {}

async function onDisk<Value>(work: Promise<Value>): Promise<Value> {
  return work.catch((error: unknown) => {
    throw new DiskError(messageOf(error), { cause: error });
  });
}

/**
 * The download of one blob from an upstream to the disk. It runs at full speed, whatever its readers do. Each reader
 * follows the growing file at its own offset: it checks `state` and `written`, and waits for `changed()`.
 */
export class Download {
  readonly digest: Digest;
  /** Key of the repository that it is fetched for. The response proves that the blob belongs to that one only. */
  readonly source: string;
  readonly #files: BlobFiles;
  readonly #request: (signal: AbortSignal) => Promise<BlobAnswer>;
  readonly #events: DownloadEvents;
  readonly #abort = new AbortController();
  #state: DownloadState = { kind: 'pending' };
  readonly #undeclaredBytesMax: number;
  #size: number | null;
  #written = 0;
  #readers = 0;
  #temp: TempFile | undefined;
  #over = false;
  #waiters: (() => void)[] = [];
  readonly #done: Promise<void>;

  /** Starts the download. `expectedSize` is the size in a manifest, for upstreams that send no length. */
  constructor(options: {
    readonly digest: Digest;
    readonly source: string;
    readonly expectedSize: number | null;
    /** Limit of the size if it is unknown. */
    readonly undeclaredBytesMax: number;
    readonly files: BlobFiles;
    readonly request: (signal: AbortSignal) => Promise<BlobAnswer>;
    readonly events: DownloadEvents;
  }) {
    this.digest = options.digest;
    this.source = options.source;
    this.#size = options.expectedSize;
    this.#undeclaredBytesMax = options.undeclaredBytesMax;
    this.#files = options.files;
    this.#request = options.request;
    this.#events = options.events;
    this.#done = this.#run();
  }

  get state(): DownloadState {
    return this.#state;
  }

  /** Size of the blob; null while it is unknown. */
  get size(): number | null {
    return this.#size;
  }

  /** Bytes that can be read from the file. */
  get written(): number {
    return this.#written;
  }

  /** The growing file. Only for readers that have joined, from `running` on. */
  get handle(): FileHandle {
    assert(this.#temp !== undefined && this.#readers > 0, 'only a reader that has joined reads a running download');
    return this.#temp.handle;
  }

  /** Resolves when there is more to read or the state has changed; at once if the download is over. */
  changed(): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when the upstream has answered or failed. */
  async begun(): Promise<void> {
    while (this.#state.kind === 'pending') await this.changed();
  }

  join(): void {
    this.#readers++;
  }

  /** Undoes `join`. When the last reader leaves, a download that is less than half done is aborted. */
  leave(): void {
    assert(this.#readers > 0, 'only a reader that has joined leaves a download');
    this.#readers--;
    if (this.#readers > 0) return;
    if (this.#over) void this.#closeFile();
    else if (!this.#isWorthFinishing()) this.abort();
  }

  abort(): void {
    this.#events.ended();
    this.#abort.abort();
  }

  /** Resolves when the download has ended and its file is closed. Never rejects. */
  done(): Promise<void> {
    return this.#done;
  }

  #isWorthFinishing(): boolean {
    return this.#state.kind === 'verified' || (this.#size !== null && this.#written * 2 >= this.#size);
  }

  async #run(): Promise<void> {
    try {
      const answer = await this.#request(this.#abort.signal);
      this.#size = answer.length ?? this.#size;
      const temp = await this.#openFile(answer.body);
      this.#setState({ kind: 'running' });
      this.#size = await this.#receive(answer.body, temp);
      this.#events.verified();
      this.#setState({ kind: 'verified' });
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

  /** Writes the body to the file. Resolves with its length; rejects unless it is exactly the blob. */
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
      throw this.#rejection(`aborted a blob after ${received} bytes: ${connectionFailure(error).message}`);
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
      // Current readers can still use a verified blob that could not be renamed.
      if (this.#state.kind !== 'verified') this.#setState({ kind: 'detached' });
    } else {
      this.#setState({ kind: 'failed', error: connectionFailure(error) });
    }
    const temp = this.#temp;
    if (temp !== undefined) await this.#files.discard(temp).catch(this.#events.diskFailed);
  }

  #setState(state: DownloadState): void {
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
