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
 * What is at hand of a blob and may be read for a repository. `file`: cached; the caller closes it. `download`: on its
 * way and joined; the caller leaves it. `none`: the upstream must send the blob for this repository.
 */
export type Access =
  | { readonly kind: 'file'; readonly file: BlobFile }
  | { readonly kind: 'download'; readonly download: Download }
  | { readonly kind: 'none' };

const none: Access = { kind: 'none' };

/**
 * The one way to cached blobs and to downloads: everything that reads a blob for a repository comes through here, so that
 * nothing is read that the repository has no proof for.
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
   * Finds what may be read for a repository. Content that its upstream has delivered for another repository is confirmed
   * first, by HEAD. Rejects with `UpstreamError` when the upstream does not confirm it.
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
    // The download has ended meanwhile, so that its file may be there.
    const file = this.#proofs.isOpen(repository, digest) ? await this.#blobs.openCached(digest) : null;
    return file === null ? none : { kind: 'file', file };
  }

  /**
   * Reads a small blob as a whole, through the cache. Rejects with `UpstreamError` when it cannot be had or is larger
   * than `bytesMax`.
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
   * Whether a download that another repository has begun may be read for this one. When it fails, or its upstream takes long
   * to answer, that says nothing about this repository, which then asks by itself.
   */
  async #mayJoin(repository: Repository, running: Download, belongs: boolean): Promise<boolean> {
    await endsWithin(limits.otherDownloadWaitMsMax, running.begun());
    if (running.state.kind === 'failed' || running.state.kind === 'asking') return false;
    return belongs || this.#confirm(repository, running.digest, running.size);
  }

  /** Asks the upstream, once however many readers wait. */
  #confirm(repository: Repository, digest: Digest, size: number | null): Promise<boolean> {
    const key = `${repository.key} ${digest.text}`;
    return this.#confirmations.run(key, () => this.#isConfirmed(repository, digest, size));
  }

  async #isConfirmed(repository: Repository, digest: Digest, size: number | null): Promise<boolean> {
    const said = await repository.upstream.client.headBlob(repository.name, digest);
    return this.confirmIfSameSize(repository, digest, said, size);
  }

  /**
   * Notes that the upstream has the blob for the repository, where the size that it says is that of the blob. Another size
   * means other content, and none may be a page that answers whatever is asked: these confirm nothing.
   */
  confirmIfSameSize(repository: Repository, digest: Digest, said: number | null, size: number | null): boolean {
    if (said === null || said !== size) return false;
    this.#proofs.confirmed(repository, digest);
    return true;
  }
}

function checkSize(size: number | null, bytesMax: number): void {
  if (size !== null && size > bytesMax) {
    throw new UpstreamError('invalid', `has a blob of ${size} bytes where at most ${bytesMax} are read`);
  }
}

/** Waits for a download and reads it, then leaves it; null when the disk did not take it. */
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
  if (digestOf(digest.algorithm, bytes).text !== digest.text) throw new UpstreamError('invalid', 'sent another blob');
  return bytes;
}
