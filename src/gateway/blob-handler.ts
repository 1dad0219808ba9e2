import { createHash, type Hash } from 'node:crypto';

import { limits } from '../base/index.ts';
import { OciError, type Digest } from '../oci/index.ts';
import { blobHeaders, blobIdentity } from './blob-headers.ts';
import { awaitReadable, follow, sendFile } from './blob-stream.ts';
import type { Access, BlobAccess } from './cache/blob-access.ts';
import type { BlobFile } from './cache/blob-files.ts';
import type { Blobs } from './cache/blobs.ts';
import type { Link } from './cache/catalog.ts';
import type { Download } from './cache/download.ts';
import type { HeldBlob } from './cache/held-blob.ts';
import type { Links } from './cache/links.ts';
import type { Proofs } from './cache/proofs.ts';
import type { EgressTally } from './egress.ts';
import { isHead, writeHead, type Exchange } from './exchange.ts';
import { matchesETag } from './headers.ts';
import type { Repository } from './names.ts';
import type { CacheOutcome } from './outcome.ts';
import { BodyWriter } from './body-writer.ts';
import { openRemote, sendRemote, type RemotePart } from './pass-through.ts';
import { parseRange, satisfy, type ByteRange, type RequestedRange } from './range.ts';
import type { AnswerMeters } from './upstream-meters.ts';

interface BlobRequest {
  readonly exchange: Exchange;
  readonly repository: Repository;
  readonly digest: Digest;
  /** Null for the whole blob. */
  readonly requested: RequestedRange | null;
  /** The size in a manifest of the repository; null if none states it. */
  readonly size: number | null;
}

interface Answer {
  readonly writer: BodyWriter;
  readonly meters: AnswerMeters;
}

/** Beyond the end of any blob, so that waiting for it waits for the end of the download. */
const beyondEnd: ByteRange = { start: Number.MAX_SAFE_INTEGER, end: Number.MAX_SAFE_INTEGER };

/**
 * Answers GET and HEAD of blobs: from the cache, from a download in progress, or directly from the upstream. Rejects
 * with `OciError` or `UpstreamError`, possibly after a part of the response has been sent.
 */
export class BlobHandler {
  readonly #blobs: Blobs;
  readonly #access: BlobAccess;
  readonly #proofs: Proofs;
  readonly #links: Links;
  readonly #egress: EgressTally;

  constructor(options: {
    readonly blobs: Blobs;
    readonly access: BlobAccess;
    readonly proofs: Proofs;
    readonly links: Links;
    readonly egress: EgressTally;
  }) {
    this.#blobs = options.blobs;
    this.#access = options.access;
    this.#proofs = options.proofs;
    this.#links = options.links;
    this.#egress = options.egress;
  }

  /** Answers synchronously if the blob is in memory. */
  serve(exchange: Exchange, repository: Repository, digest: Digest): Promise<void> | void {
    const held = this.#proofs.isOpen(repository, digest) ? this.#blobs.held(digest) : undefined;
    return held === undefined ? this.#serve(exchange, repository, digest) : this.#sendHeld(exchange, repository, held);
  }

  async #serve(exchange: Exchange, repository: Repository, digest: Digest): Promise<void> {
    const link = await this.#links.find(repository, digest);
    if (isHead(exchange)) return this.#head(exchange, repository, digest, link);
    const { headers } = exchange.request;
    if (matchesETag(headers['if-none-match'], `"${digest.text}"`) && (await this.#isKnown(repository, digest, link))) {
      return sendUnchanged(exchange, repository, digest);
    }
    const request = {
      exchange,
      repository,
      digest,
      requested: requestedRange(headers, digest),
      size: link?.size ?? null,
    };
    const access = await this.#access.open(repository, digest);
    return access.kind === 'file' ? this.#sendCached(request, access.file) : this.#sendUncached(request, access);
  }

  /** Whether a response without the bytes may confirm that the repository has the blob. */
  async #isKnown(repository: Repository, digest: Digest, link: Link | null): Promise<boolean> {
    return link !== null || (await this.#proofs.find(repository, digest)).belongs;
  }

  /** A manifest's size is enough to answer HEAD. The cached file's size is only for repositories that may read it. */
  async #head(exchange: Exchange, repository: Repository, digest: Digest, link: Link | null): Promise<void> {
    const { delivered, belongs } = await this.#proofs.find(repository, digest);
    const cached = (delivered ? this.#blobs.sizeOf(digest) : undefined) ?? null;
    const known = (belongs ? cached : null) ?? link?.size ?? null;
    const size = known ?? (await repository.upstream.client.headBlob(repository.name, digest));
    if (known === null) this.#access.confirmIfSameSize(repository, digest, size, cached);
    writeHead(exchange, 200, blobHeaders({ digest, length: size }));
    exchange.response.end();
    repository.upstream.meters.answers('blob', known === null ? 'miss' : 'hit').whole(exchange.startedMs, 0);
  }

  async #sendCached(request: BlobRequest, file: BlobFile): Promise<void> {
    const { exchange, repository, digest, requested } = request;
    try {
      if (file.size <= limits.smallBlobBytesMax)
        return this.#sendHeld(exchange, repository, await this.#blobs.hold(digest, file));
      const range = rangeOf(requested, file.size);
      if (range === null) throw unsatisfiable(file.size);
      const writer = new BodyWriter(exchange.response);
      writeRangeHead(request, range, file.size);
      const answer = this.#begin(request, writer, 'hit');
      await sendFile(file.handle, range, writer);
      finish(exchange, answer);
    } finally {
      await file.handle.close();
    }
  }

  /** Joins or starts the download, unless the range starts too far ahead of it to wait. */
  async #sendUncached(request: BlobRequest, access: Exclude<Access, { readonly kind: 'file' }>): Promise<void> {
    const { repository, digest, requested, exchange, size } = request;
    const running = access.kind === 'download' ? access.download : undefined;
    const writer = new BodyWriter(exchange.response);
    const isFar = requested !== null && isFarAhead(requested, running, size);
    if (isFar || writer.closed) {
      running?.leave();
      return writer.closed ? undefined : this.#passThrough(request, writer);
    }
    const source =
      running === undefined
        ? this.#blobs.fetch(repository, digest, size)
        : ({ kind: 'download', download: running, coalesced: true } as const);
    if (source.kind !== 'download') return this.#passThrough(request, writer);
    if (source.coalesced) repository.upstream.meters.coalesced.blob.inc();
    try {
      await this.#sendDownload(request, source.download, writer, source.coalesced ? 'coalesced' : 'miss');
    } finally {
      source.download.leave();
    }
  }

  async #sendDownload(
    request: BlobRequest,
    download: Download,
    writer: BodyWriter,
    outcome: CacheOutcome,
  ): Promise<void> {
    const { exchange, requested } = request;
    await writer.until(download.begun());
    // Whether the range is valid depends on the size.
    if (requested !== null && download.size === null) await awaitReadable(download, beyondEnd, writer);
    const range = rangeOf(requested, download.size);
    if (range !== null) await awaitReadable(download, range, writer);
    if (writer.closed) return;
    const { state, size } = download;
    if (state.kind === 'failed') throw state.error;
    if (state.kind === 'detached') return this.#passThrough(request, writer);
    if (range === null) throw unsatisfiable(size);
    writeRangeHead(request, range, size);
    const answer = this.#begin(request, writer, outcome);
    const followed = await follow(download, range, writer);
    if (followed.kind === 'detached')
      await this.#resume(request, download, { start: followed.offset, end: range.end }, writer);
    finish(exchange, answer);
  }

  /** Answers directly from the upstream: for a range far ahead, or if the disk cannot be written. */
  async #passThrough(request: BlobRequest, writer: BodyWriter): Promise<void> {
    const { repository, digest, requested, exchange, size: expectedSize } = request;
    const part = await openRemote(repository, digest, requested, expectedSize, writer.signal);
    if ('unsatisfiable' in part) throw unsatisfiable(part.size);
    const { start, end, size } = part;
    // A range always has an end; only a whole blob may have an unknown length.
    writeRangeHead(request, { start, end: end ?? start }, size);
    const answer = this.#begin(request, writer, 'bypass');
    await this.#sendPart(request, part, writer, createHash(digest.algorithm));
    finish(exchange, answer);
  }

  /**
   * Sends the rest of a blob with a separate request, after the disk failed. The part already sent is hashed from the
   * file, so that a whole blob is still verified before its last bytes are sent.
   */
  async #resume(request: BlobRequest, download: Download, rest: ByteRange, writer: BodyWriter): Promise<void> {
    const { repository, digest, requested } = request;
    const hash = createHash(digest.algorithm);
    if (requested === null) await hashFile(download, rest.start, hash);
    const last = Number.isFinite(rest.end) ? rest.end - 1 : null;
    const wanted: RequestedRange = { kind: 'from', first: rest.start, last };
    const part = await openRemote(repository, digest, wanted, download.size ?? request.size, writer.signal);
    if ('unsatisfiable' in part) throw unsatisfiable(part.size);
    await this.#sendPart(request, part, writer, hash);
  }

  /** Counts a response whose headers have been written, and the bytes that follow. */
  #begin({ exchange, repository }: BlobRequest, writer: BodyWriter, outcome: CacheOutcome): Answer {
    const { meters: upstream } = repository.upstream;
    const meters = upstream.answers('blob', outcome);
    if (!writer.closed) {
      upstream.blobPulls.inc();
      meters.begun(exchange.startedMs);
    }
    writer.countInto(meters.served, this.#egress.pieces(exchange, repository));
    return { writer, meters };
  }

  #sendHeld(exchange: Exchange, repository: Repository, { digest, body, etag, headers }: HeldBlob): void {
    const { request, response, startedMs } = exchange;
    const { meters } = repository.upstream;
    const answers = meters.answers('blob', 'hit');
    if (isHead(exchange)) {
      writeHead(exchange, 200, headers);
      response.end();
      return answers.whole(startedMs, 0);
    }
    if (matchesETag(request.headers['if-none-match'], etag)) return sendUnchanged(exchange, repository, digest);
    const requested = requestedRange(request.headers, digest);
    const range = rangeOf(requested, body.byteLength);
    if (range === null) throw unsatisfiable(body.byteLength);
    if (requested === null) writeHead(exchange, 200, headers);
    else writeRangeHead({ exchange, digest, requested }, range, body.byteLength);
    const bytes = requested === null ? body : body.subarray(range.start, range.end);
    response.end(bytes);
    meters.blobPulls.inc();
    answers.whole(startedMs, bytes.byteLength);
    this.#egress.whole(exchange, repository, bytes.byteLength);
  }

  /**
   * Sends a part from the upstream. A whole blob is verified with `hash`, which has all bytes before the part. An error
   * counts as a rejected blob, unless the client has disconnected.
   */
  async #sendPart(
    { repository, digest, requested }: BlobRequest,
    part: RemotePart,
    writer: BodyWriter,
    hash: Hash,
  ): Promise<void> {
    const { meters, undeclaredBlobBytesMax } = repository.upstream;
    try {
      await sendRemote(part, writer, undeclaredBlobBytesMax, requested === null ? { hash, digest } : undefined);
    } catch (error) {
      if (!writer.closed) meters.blobRejected.inc();
      throw error;
    }
  }
}

/** The requested range. If `If-Range` does not match, the whole blob (RFC 9110, section 13.1.5). */
function requestedRange(headers: Exchange['request']['headers'], digest: Digest): RequestedRange | null {
  const condition = headers['if-range'];
  return condition === undefined || condition === `"${digest.text}"` ? parseRange(headers.range) : null;
}

/** Whether a range starts so far ahead of the download that a separate request is faster. */
function isFarAhead(requested: RequestedRange, running: Download | undefined, expectedSize: number | null): boolean {
  const size = running?.size ?? expectedSize;
  const start = requested.kind === 'from' ? requested.first : size === null ? null : size - requested.length;
  return start === null || start > (running?.written ?? 0) + limits.rangeWaitBytesMax;
}

/** The bytes to send; null if the range is unsatisfiable. If the size is unknown, the whole blob without an end. */
function rangeOf(requested: RequestedRange | null, size: number | null): ByteRange | null {
  if (requested === null || size === null) return { start: 0, end: size ?? Number.POSITIVE_INFINITY };
  return satisfy(requested, size);
}

function unsatisfiable(size: number | null): OciError {
  const message = `the blob has no such range; its size is ${size ?? 'unknown'}`;
  return new OciError('rangeUnsatisfiable', message, { 'Content-Range': `bytes */${size ?? '*'}` });
}

/** Writes the headers of a 206, or of a 200 for the whole blob. */
function writeRangeHead(
  { exchange, digest, requested }: Pick<BlobRequest, 'exchange' | 'digest' | 'requested'>,
  range: ByteRange,
  size: number | null,
): void {
  if (requested === null) return writeHead(exchange, 200, blobHeaders({ digest, length: size }));
  writeHead(exchange, 206, blobHeaders({ digest, length: range.end - range.start, range: { ...range, size } }));
}

/** Ends the response, unless the client has disconnected. */
function finish({ response, startedMs }: Exchange, { writer, meters }: Answer): void {
  if (writer.closed) return;
  response.end();
  meters.ended(startedMs);
}

function sendUnchanged(exchange: Exchange, repository: Repository, digest: Digest): void {
  writeHead(exchange, 304, blobIdentity(digest));
  exchange.response.end();
  repository.upstream.meters.answers('blob', 'hit').whole(exchange.startedMs, 0);
}

async function hashFile(download: Download, length: number, hash: Hash): Promise<void> {
  const buffer = Buffer.allocUnsafe(limits.blobReadBytes);
  for (let offset = 0; offset < length;) {
    const { bytesRead } = await download.handle.read(buffer, 0, Math.min(buffer.byteLength, length - offset), offset);
    if (bytesRead === 0) throw new Error(`expected a file of at least ${length} bytes, got ${offset}`);
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
}
