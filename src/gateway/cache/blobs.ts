import { limits, Lru, messageOf, SingleFlight, type Clock, type Log, type Random } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { Amount } from '../amount.ts';
import type { Repository } from '../names.ts';
import { UpstreamError } from '../upstream/failure.ts';
import { BlobFiles, type BlobFile } from './blob-files.ts';
import type { Catalog } from './catalog.ts';
import { Download } from './download.ts';
import { HeldBlob } from './held-blob.ts';
import type { Proofs } from './proofs.ts';

/**
 * The result of `fetch`. `download`: in progress and joined; the caller leaves it. `coalesced`: another reader started
 * it. `uncached`: the disk cannot be written, so this reader needs its own request.
 */
export type FetchedBlob =
  | { readonly kind: 'download'; readonly download: Download; readonly coalesced: boolean }
  | { readonly kind: 'uncached' };

export interface BlobsOptions {
  readonly directory: string;
  readonly catalog: Catalog;
  /** Gets each verified delivery. */
  readonly proofs: Proofs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The blob cache: the blobs on disk and in memory, and the downloads in progress. It does not check which repository
 * may read a blob: `BlobAccess` does.
 */
export class Blobs {
  readonly #options: BlobsOptions;
  readonly #files: BlobFiles;
  /** Size of every blob on disk, by digest. */
  readonly #sizes: Map<string, number>;
  readonly #memory = new Lru<HeldBlob>(limits.blobMemoryBytesMax, (held) => held.weight);
  readonly #repairs = new SingleFlight<void>();
  /** Downloads that may be joined: the latest one, if several repositories fetch the same blob. */
  readonly #downloads = new Map<string, Download>();
  /** All downloads that have not ended. */
  readonly #running = new Set<Download>();
  #isClosing = false;
  #diskFailedUntilMs = Number.NEGATIVE_INFINITY;
  #diskFailure: string | undefined;

  private constructor(options: BlobsOptions, files: BlobFiles, sizes: Map<string, number>) {
    this.#options = options;
    this.#files = files;
    this.#sizes = sizes;
  }

  /**
   * Opens the cache and reconciles the catalog with the files. A file without a row is adopted, because only verified
   * blobs get such a name. A row without a file is deleted.
   */
  static async open(options: BlobsOptions): Promise<Blobs> {
    const { catalog } = options;
    const files = await BlobFiles.open(options.directory, options.random);
    const [rows, digests] = await Promise.all([catalog.blobs(), files.digests()]);
    const sizes = new Map<string, number>();
    const adopted = new Map<string, number>();
    for (const digest of digests) {
      const known = rows.get(digest.text);
      const size = known ?? (await files.size(digest));
      sizes.set(digest.text, size);
      if (known === undefined) adopted.set(digest.text, size);
    }
    catalog.putBlobs(adopted);
    catalog.deleteBlobs([...rows.keys()].filter((digest) => !sizes.has(digest)));
    return new Blobs(options, files, sizes);
  }

  /** Size of a cached blob. */
  sizeOf(digest: Digest): number | undefined {
    return this.#sizes.get(digest.text);
  }

  /** Counts the files on disk. Rejects if the directory cannot be read. */
  onDisk(): Promise<Amount> {
    return this.#files.amount((digest) => this.#sizes.get(digest));
  }

  /** Small blobs in memory and the bytes that they take. */
  get inMemory(): Amount {
    return { count: this.#memory.size, bytes: this.#memory.weight };
  }

  /** Number of downloads in progress. */
  get downloads(): number {
    return this.#downloads.size;
  }

  /** A small blob, if it is in memory. */
  held(digest: Digest): HeldBlob | undefined {
    return this.#memory.get(digest.text);
  }

  /** Reads a small blob into memory. */
  async hold(digest: Digest, file: BlobFile): Promise<HeldBlob> {
    const held = new HeldBlob(digest, await file.handle.readFile());
    this.#memory.set(digest.text, held);
    return held;
  }

  /** The latest download in progress from this upstream, for any of its repositories. */
  inFlight(repository: Repository, digest: Digest): Download | undefined {
    return this.#downloads.get(keyOf(repository, digest));
  }

  /** Opens a cached blob. Null if it is not cached, or its file is missing or has another size. */
  async openCached(digest: Digest): Promise<BlobFile | null> {
    const size = this.#sizes.get(digest.text);
    if (size === undefined) return null;
    const file = await this.#files.openBlob(digest);
    if (file?.size === size) return file;
    await file?.handle.close();
    // Remove the damaged file before the blob is fetched again; otherwise the new file might be removed.
    await this.#repairs.run(digest.text, () => this.#forget(digest));
    return null;
  }

  /** Why the last blob could not be written; undefined once a write has succeeded. */
  get diskFailure(): string | undefined {
    return this.#diskFailure;
  }

  /**
   * Joins this repository's download, or starts one. Another repository's download proves nothing about this one.
   * `expectedSize` is the size in a manifest, or null. Throws `UpstreamError` after `close`.
   */
  fetch(repository: Repository, digest: Digest, expectedSize: number | null): FetchedBlob {
    const running = this.inFlight(repository, digest);
    const coalesced = running?.source === repository.key;
    if (this.#isClosing) throw new UpstreamError('unreachable', 'was not contacted, because the gateway is stopping');
    const isRefused = this.#options.clock.monotonic() < this.#diskFailedUntilMs;
    if (!coalesced && isRefused) return { kind: 'uncached' };
    const download = coalesced ? running : this.#start(repository, digest, expectedSize);
    download.join();
    return { kind: 'download', download, coalesced };
  }

  /** Aborts all downloads and waits until their files are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const running = [...this.#running];
    for (const download of running) download.abort();
    await Promise.all(running.map((download) => download.done()));
  }

  async #forget(digest: Digest): Promise<void> {
    this.#options.log.warn({ digest: digest.text }, 'a cached blob is missing or has another size; fetching it again');
    await this.#files.remove(digest);
    this.#sizes.delete(digest.text);
    this.#options.catalog.deleteBlobs([digest.text]);
  }

  #start(repository: Repository, digest: Digest, expectedSize: number | null): Download {
    const { catalog, proofs, log, clock } = this.#options;
    const { name: upstream, meters } = repository.upstream;
    const key = keyOf(repository, digest);
    const download: Download = new Download({
      digest,
      source: repository.key,
      expectedSize,
      undeclaredBytesMax: repository.upstream.undeclaredBlobBytesMax,
      files: this.#files,
      request: (signal) => repository.upstream.client.getBlob(repository.name, digest, { size: expectedSize, signal }),
      events: {
        verified: () => proofs.delivered(repository, digest),
        committed: (size) => {
          this.#diskFailure = undefined;
          this.#sizes.set(digest.text, size);
          catalog.putBlobs(new Map([[digest.text, size]]));
        },
        rejected: (error) => {
          meters.blobRejected.inc();
          log.error({ upstream, digest: digest.text, error: error.message }, 'rejected a blob from an upstream');
        },
        diskFailed: (error) => {
          this.#diskFailedUntilMs = clock.monotonic() + limits.diskRetryMs;
          this.#diskFailure = messageOf(error);
          log.error({ digest: digest.text, error: this.#diskFailure }, 'cannot write the image cache');
        },
        ended: () => {
          if (this.#downloads.get(key) === download) this.#downloads.delete(key);
        },
      },
    });
    this.#downloads.set(key, download);
    this.#running.add(download);
    void download.done().then(() => this.#running.delete(download));
    return download;
  }
}

const keyOf = (repository: Repository, digest: Digest): string => `${repository.upstream.name} ${digest.text}`;
