import { endsWithin, limits, SingleFlight } from '../../base/index.ts';
import { digestOf, type Digest } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { connectionFailure } from '../upstream/connection.ts';
import { UpstreamError } from '../upstream/failure.ts';
import type { BlobFile } from './blob-files.ts';
import type { Blobs } from './blobs.ts';
import type { Download } from './download.ts';
import type { Proofs } from './proofs.ts';

/**
 * A source of a blob that a repository may read. `file`: cached; the caller closes it. `download`: in progress and
 * joined; the caller leaves it. `none`: the upstream must send the blob for this repository.
 */
export type Access =
  | { readonly kind: 'file'; readonly file: BlobFile }
  | { readonly kind: 'download'; readonly download: Download }
  | { readonly kind: 'none' };

const none: Access = { kind: 'none' };

/**
 * The only access to cached blobs and downloads. It checks the proofs (see `Proofs`), so that no repository can read a
 * blob that its upstream has not confirmed for it.
 */
export class BlobAccess {
  readonly #blobs: Blobs;
  readonly #proofs: Proofs;
  readonly #confirmations = new SingleFlight<boolean>();

  constructor(options: { readonly blobs: Blobs; readonly proofs: Proofs }) {
    this.#blobs = options.blobs;
    this.#proofs = options.proofs;
  }

  /**
   * Finds a source that the repository may read. If its upstream has delivered the blob for another repository only,
   * HEAD must confirm it first. Rejects with `UpstreamError` if that fails.
   */
  async open(repository: Repository, digest: Digest): Promise<Access> {
    const { delivered, belongs } = await this.#proofs.find(repository, digest);
    if (delivered && this.#blobs.sizeOf(digest) !== undefined) {
      const file = await this.#openCached(repository, digest, belongs);
      if (file !== null) return { kind: 'file', file };
    }
    const running = this.#blobs.inFlight(repository, digest);
    if (running === undefined) return none;
    const isOwn = running.source === repository.key;
    if (!isOwn && !(await this.#mayJoin(repository, running, belongs))) return none;
    if (this.#blobs.inFlight(repository, digest) === running) {
      running.join();
      return { kind: 'download', download: running };
    }
    // The download has ended in the meantime: its file may be cached.
    const file = this.#proofs.isOpen(repository, digest) ? await this.#blobs.openCached(digest) : null;
    return file === null ? none : { kind: 'file', file };
  }

  /**
   * Reads a complete blob through the cache. Rejects with `UpstreamError` if it is unavailable or larger than `bytesMax`.
   */
  async read(repository: Repository, digest: Digest, expectedSize: number | null, bytesMax: number): Promise<Buffer> {
    checkSize(expectedSize, bytesMax);
    const access = await this.open(repository, digest);
    if (access.kind === 'file') {
      try {
        checkSize(access.file.size, bytesMax);
        return await access.file.handle.readFile();
      } finally {
        await access.file.handle.close();
      }
    }
    const source = access.kind === 'download' ? access : this.#blobs.fetch(repository, digest, expectedSize);
    const bytes = source.kind === 'download' ? await readDownload(source.download, bytesMax) : null;
    return bytes ?? readUncached(repository, digest, expectedSize, bytesMax);
  }

  async #openCached(repository: Repository, digest: Digest, belongs: boolean): Promise<BlobFile | null> {
    const size = this.#blobs.sizeOf(digest) ?? null;
    if (!belongs && !(await this.#confirm(repository, digest, size))) return null;
    return this.#blobs.openCached(digest);
  }

  /**
   * Whether this repository may read another repository's download. If the download fails or its upstream is slow, that
   * proves nothing about this repository, which then starts its own.
   */
  async #mayJoin(repository: Repository, running: Download, belongs: boolean): Promise<boolean> {
    await endsWithin(limits.otherDownloadWaitMsMax, running.begun());
    if (running.state.kind === 'failed' || running.state.kind === 'pending') return false;
    return belongs || this.#confirm(repository, running.digest, running.size);
  }

  /** Confirms the blob at the upstream, with one request for all concurrent readers. */
  #confirm(repository: Repository, digest: Digest, size: number | null): Promise<boolean> {
    const key = `${repository.key} ${digest.text}`;
    return this.#confirmations.run(key, () => this.#isConfirmed(repository, digest, size));
  }

  async #isConfirmed(repository: Repository, digest: Digest, size: number | null): Promise<boolean> {
    const stated = await repository.upstream.client.headBlob(repository.name, digest);
    return this.confirmIfSameSize(repository, digest, stated, size);
  }

  /**
   * Records that the repository has the blob, if the size that its upstream states is correct. Another size means other
   * content, and no size may come from a server that answers 200 to everything.
   */
  confirmIfSameSize(repository: Repository, digest: Digest, stated: number | null, size: number | null): boolean {
    if (stated === null || stated !== size) return false;
    this.#proofs.confirmed(repository, digest);
    return true;
  }
}

function checkSize(size: number | null, bytesMax: number): void {
  if (size !== null && size > bytesMax) {
    throw new UpstreamError('invalid', `has a blob of ${size} bytes, expected at most ${bytesMax}`);
  }
}

/** Waits for a download, reads it and leaves it. Null if the disk refused it. */
async function readDownload(download: Download, bytesMax: number): Promise<Buffer | null> {
  try {
    for (;;) {
      checkSize(download.size ?? download.written, bytesMax);
      const { state } = download;
      if (state.kind === 'failed') throw state.error;
      if (state.kind === 'detached') return null;
      if (state.kind === 'verified') {
        const bytes = Buffer.alloc(download.written);
        await download.handle.read(bytes, 0, bytes.byteLength, 0);
        return bytes;
      }
      await download.changed();
    }
  } finally {
    download.leave();
  }
}

async function readUncached(
  repository: Repository,
  digest: Digest,
  size: number | null,
  bytesMax: number,
): Promise<Buffer> {
  const answer = await repository.upstream.client.getBlob(repository.name, digest, { size });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      length += chunk.byteLength;
      checkSize(length, bytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    throw connectionFailure(error);
  }
  const bytes = Buffer.concat(chunks, length);
  if (digestOf(digest.algorithm, bytes).text !== digest.text)
    throw new UpstreamError('invalid', 'sent a blob with another digest');
  return bytes;
}
