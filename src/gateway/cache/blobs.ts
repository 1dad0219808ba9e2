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
 * Where a blob that is fetched can be read from. `download`: on its way and joined; the caller leaves it. `coalesced` says
 * that another reader began it. `uncached`: nothing is written, since the disk refuses it or the cache closes: this reader needs a request of its own.
 */
export type FetchedBlob =
  | { readonly kind: 'download'; readonly download: Download; readonly coalesced: boolean }
  | { readonly kind: 'uncached' };

export interface BlobsOptions {
  readonly directory: string;
  readonly catalog: Catalog;
  /** Learns which upstream has delivered what, and for which repository. */
  readonly proofs: Proofs;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The blob cache: which blobs are on disk, and the downloads that are under way. It does not ask for which repository a
 * blob is read: `BlobAccess` does.
 */
export class Blobs {
  readonly #options: BlobsOptions;
  readonly #files: BlobFiles;
  /** Size of every blob on disk, by digest. */
  readonly #sizes: Map<string, number>;
  readonly #memory = new Lru<HeldBlob>(limits.blobMemoryBytesMax, (held) => held.weight);
  readonly #repairs = new SingleFlight<void>();
  /** Those that may be joined; the latest, where several repositories fetch the same blob. */
  readonly #downloads = new Map<string, Download>();
  /** All that have not come to their end. */
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
   * Opens the cache and brings catalog and files together: a file without a row is adopted, since only verified blobs
   * get their name, and a row without a file is dropped.
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

  /** Size of a blob that is cached. */
  sizeOf(digest: Digest): number | undefined {
    return this.#sizes.get(digest.text);
  }

  /** The files as they are on disk now, whatever was believed of them. Rejects when the directory cannot be read. */
  onDisk(): Promise<Amount> {
    return this.#files.amount((digest) => this.#sizes.get(digest));
  }

  /** Small blobs in memory, and what they take. */
  get inMemory(): Amount {
    return { count: this.#memory.size, bytes: this.#memory.weight };
  }

  /** Downloads under way. */
  get downloads(): number {
    return this.#downloads.size;
  }

  /** A small blob that is in memory. */
  held(digest: Digest): HeldBlob | undefined {
    return this.#memory.get(digest.text);
  }

  /** Reads a small blob into memory, as a whole. */
  async hold(digest: Digest, file: BlobFile): Promise<HeldBlob> {
    const held = new HeldBlob(digest, await file.handle.readFile());
    this.#memory.set(digest.text, held);
    return held;
  }

  /** The download that is under way at this upstream, by way of any of its repositories: the latest, if several are. */
  inFlight(repository: Repository, digest: Digest): Download | undefined {
    return this.#downloads.get(keyOf(repository, digest));
  }

  /** Opens a blob that is cached; null when it is not, or not as it was. */
  async openCached(digest: Digest): Promise<BlobFile | null> {
    const size = this.#sizes.get(digest.text);
    if (size === undefined) return null;
    const file = await this.#files.openBlob(digest);
    if (file?.size === size) return file;
    await file?.handle.close();
    // Nobody fetches the blob again before the wrong file is gone, or else it might be the new one that is removed.
    await this.#repairs.run(digest.text, () => this.#forget(digest));
    return null;
  }

  /** Why the last blob could not be written; absent once one could be. */
  get diskFailure(): string | undefined {
    return this.#diskFailure;
  }

  /**
   * Joins the download that this repository has under way, or starts one: a download of another repository shows nothing
   * about this one. `expectedSize` is what a manifest says, null where it does not. Throws `UpstreamError` after `close`.
   */
  fetch(repository: Repository, digest: Digest, expectedSize: number | null): FetchedBlob {
    const running = this.inFlight(repository, digest);
    const coalesced = running?.source === repository.key;
    if (this.#isClosing) throw new UpstreamError('unreachable', 'is not asked, since the gateway stops');
    const isRefused = this.#options.clock.monotonic() < this.#diskFailedUntilMs;
    if (!coalesced && isRefused) return { kind: 'uncached' };
    const download = coalesced ? running : this.#start(repository, digest, expectedSize);
    download.join();
    return { kind: 'download', download, coalesced };
  }

  /** Gives up what still runs, and waits until its files are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const running = [...this.#running];
    for (const download of running) download.abort();
    await Promise.all(running.map((download) => download.done()));
  }

  async #forget(digest: Digest): Promise<void> {
    this.#options.log.warn({ digest: digest.text }, 'a cached blob is gone or has another size; it is fetched again');
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
      ask: (signal) => repository.upstream.client.getBlob(repository.name, digest, { size: expectedSize, signal }),
      events: {
        verified: () => proofs.delivered(repository, digest),
        committed: (size) => {
          this.#diskFailure = undefined;
          this.#sizes.set(digest.text, size);
          catalog.putBlobs(new Map([[digest.text, size]]));
        },
        rejected: (error) => {
          meters.blobRejected.inc();
          log.error({ upstream, digest: digest.text, error: error.message }, 'a blob of an upstream was rejected');
        },
        diskFailed: (error) => {
          this.#diskFailedUntilMs = clock.monotonic() + limits.diskRetryMs;
          this.#diskFailure = messageOf(error);
          log.error({ digest: digest.text, error: this.#diskFailure }, 'the image cache could not be written');
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
