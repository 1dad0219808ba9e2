import { createHash } from 'node:crypto';

import { limits } from '../base/index.ts';
import { OciError, type Digest } from '../oci/index.ts';
import { blobHeaders, blobIdentity } from './blob-headers.ts';
import { awaitReadable, follow, sendFile } from './blob-stream.ts';
import type { BlobFile } from './cache/blob-files.ts';
import type { Blobs } from './cache/blobs.ts';
import type { Link } from './cache/catalog.ts';
import type { Download } from './cache/download.ts';
import type { HeldBlob } from './cache/held-blob.ts';
import type { Links } from './cache/links.ts';
import type { EgressTally } from './egress.ts';
import { isHead, writeHead, type Exchange } from './exchange.ts';
import { matchesETag } from './headers.ts';
import type { Repository } from './names.ts';
import type { CacheOutcome } from './outcome.ts';
import { Outlet } from './outlet.ts';
import { openRemote, sendRemote } from './pass-through.ts';
import { parseRange, satisfy, type AskedRange, type ByteRange } from './range.ts';
import type { AnswerMeters } from './upstream-meters.ts';

/** One blob request, on its way through the steps below. */
interface BlobRequest {
  readonly exchange: Exchange;
  readonly repository: Repository;
  readonly digest: Digest;
  /** Null: the whole blob. */
  readonly asked: AskedRange | null;
}

/** Where the body of an answer goes, and what is counted of it. */
interface Answer {
  readonly outlet: Outlet;
  readonly meters: AnswerMeters;
}

/** Further than any blob goes: a range that begins here waits until its download is over. */
const nowhere: ByteRange = { start: Number.MAX_SAFE_INTEGER, end: Number.MAX_SAFE_INTEGER };

/**
 * Answers GET and HEAD of blobs: from the cache, out of a download that is under way, or straight from the upstream.
 * Rejects with `OciError` or `UpstreamError` for whatever cannot be answered, also in the middle of an answer.
 */
export class BlobHandler {
  readonly #blobs: Blobs;
  readonly #links: Links;
  readonly #egress: EgressTally;

  constructor(options: { readonly blobs: Blobs; readonly links: Links; readonly egress: EgressTally }) {
    this.#blobs = options.blobs;
    this.#links = options.links;
    this.#egress = options.egress;
  }

  /** A small blob that is in memory is answered without a promise. */
  serve(exchange: Exchange, repository: Repository, digest: Digest): Promise<void> | void {
    const held = this.#links.has(repository, digest) ? this.#blobs.held(digest) : undefined;
    return held === undefined ? this.#serve(exchange, repository, digest) : this.#sendHeld(exchange, repository, held);
  }

  async #serve(exchange: Exchange, repository: Repository, digest: Digest): Promise<void> {
    const link = await this.#belonging(repository, digest);
    if (isHead(exchange)) return this.#head(exchange, repository, digest, link);
    const { headers } = exchange.request;
    if (link !== null && matchesETag(headers['if-none-match'], `"${digest.text}"`)) {
      return sendUnchanged(exchange, repository, digest);
    }
    const request = { exchange, repository, digest, asked: askedRange(headers, digest) };
    const file = link === null ? null : await this.#blobs.openCached(digest);
    return file === null ? this.#sendUncached(request, link) : this.#sendCached(request, file);
  }

  /**
   * What is known of the blob in this repository. Null: nothing, and then no copy of it is here either, so that the
   * request to the upstream will show whether it belongs. A copy that came in by another repository is not touched
   * before the upstream has confirmed that this one has it too.
   */
  async #belonging(repository: Repository, digest: Digest): Promise<Link | null> {
    const link = await this.#links.find(repository, digest);
    if (link !== null) return link;
    const running = this.#blobs.inFlight(repository, digest);
    const isForeign =
      running === undefined ? this.#blobs.sizeOf(digest) !== undefined : running.source !== repository.key;
    if (!isForeign) return null;
    return this.#links.confirm(repository, digest, await repository.upstream.client.headBlob(repository.name, digest));
  }

  async #head(exchange: Exchange, repository: Repository, digest: Digest, link: Link | null): Promise<void> {
    // What a manifest says of a blob's size is enough here: its bytes are handed out only where the upstream has them.
    let size = link === null ? null : (this.#blobs.sizeOf(digest) ?? link.size);
    const outcome = size === null ? 'miss' : 'hit';
    if (size === null) {
      size = await repository.upstream.client.headBlob(repository.name, digest);
      if (link === null) this.#links.confirm(repository, digest, size);
    }
    writeHead(exchange, 200, blobHeaders({ digest, length: size }));
    exchange.response.end();
    repository.upstream.meters.answers('blob', outcome).whole(exchange.startedMs, 0);
  }

  async #sendCached(request: BlobRequest, file: BlobFile): Promise<void> {
    const { exchange, repository, digest, asked } = request;
    try {
      if (file.size <= limits.smallBlobBytesMax)
        return this.#sendHeld(exchange, repository, await this.#blobs.hold(digest, file));
      const range = rangeOf(asked, file.size);
      if (range === null) throw unsatisfiable(file.size);
      const outlet = new Outlet(exchange.response);
      writeRangeHead(request, range, file.size);
      const answer = this.#begin(request, outlet, 'hit');
      await sendFile(file.handle, range, outlet);
      finish(exchange, answer);
    } finally {
      await file.handle.close();
    }
  }

  /** Joins or starts the download, unless a range begins so far behind it that waiting would take too long. */
  async #sendUncached(request: BlobRequest, link: Link | null): Promise<void> {
    const { repository, digest, asked } = request;
    const running = this.#blobs.inFlight(repository, digest);
    // Another repository's download that has begun since: what it brings must be confirmed before it is shared.
    if (link === null && running !== undefined && running.source !== repository.key) {
      return this.#serve(request.exchange, repository, digest);
    }
    const outlet = new Outlet(request.exchange.response);
    if (asked !== null) {
      const size = running?.size ?? link?.size ?? null;
      const start = asked.kind === 'from' ? asked.first : size === null ? null : size - asked.length;
      const reach = (running?.written ?? 0) + limits.rangeWaitBytesMax;
      if (start === null || start > reach) return this.#passThrough(request, outlet);
    }
    const source = this.#blobs.fetch(repository, digest, link?.size ?? null);
    if (source.kind !== 'download') return this.#passThrough(request, outlet);
    if (running !== undefined) repository.upstream.meters.coalesced.blob.inc();
    const outcome = running === undefined ? 'miss' : 'coalesced';
    try {
      await this.#sendDownload({ ...request, link, outcome }, source.download, outlet);
    } finally {
      source.download.leave();
    }
  }

  async #sendDownload(
    request: BlobRequest & { readonly link: Link | null; readonly outcome: CacheOutcome },
    download: Download,
    outlet: Outlet,
  ): Promise<void> {
    const { exchange, repository, digest, asked, link, outcome } = request;
    await outlet.until(download.begun());
    // A range can only be told apart from a wrong one once the size is known.
    if (asked !== null && download.size === null) await awaitReadable(download, nowhere, outlet);
    const range = rangeOf(asked, download.size);
    if (range !== null) await awaitReadable(download, range, outlet);
    if (outlet.closed) return;
    const { state, size } = download;
    if (state.kind === 'failed') throw state.error;
    if (link === null && !this.#links.has(repository, digest)) this.#links.confirm(repository, digest, size);
    if (state.kind === 'detached') return this.#passThrough(request, outlet);
    if (range === null) throw unsatisfiable(size);
    writeRangeHead(request, range, size);
    const answer = this.#begin(request, outlet, outcome);
    const followed = await follow(download, range, outlet);
    if (followed.kind === 'detached')
      await this.#goOn(request, download, { start: followed.offset, end: range.end }, outlet);
    finish(exchange, answer);
  }

  /** Answers from the upstream alone, for a range far ahead or when the disk takes nothing. */
  async #passThrough(request: BlobRequest, outlet: Outlet): Promise<void> {
    const { repository, digest, asked, exchange } = request;
    const part = await openRemote(repository, digest, asked, outlet.signal);
    if ('unsatisfiable' in part) throw unsatisfiable(part.size);
    const { start, end, size } = part;
    if (asked === null) {
      writeHead(exchange, 200, blobHeaders({ digest, length: size }));
    } else {
      // Only a whole blob may be of unknown length, and a range is never answered without its end.
      writeHead(
        exchange,
        206,
        blobHeaders({ digest, length: (end ?? start) - start, range: { start, end: end ?? start, size } }),
      );
    }
    const answer = this.#begin(request, outlet, 'bypass');
    const check = asked === null ? { hash: createHash(digest.algorithm), digest } : undefined;
    await this.#sendChecked(request, outlet, sendRemote(part, outlet, check));
    finish(exchange, answer);
  }

  /**
   * Sends the rest of an answer that a full disk has stopped, by a request of its own. What was sent before is hashed
   * again from the file, so that a whole blob is still verified before its last bytes go out.
   */
  async #goOn(request: BlobRequest, download: Download, rest: ByteRange, outlet: Outlet): Promise<void> {
    const { repository, digest, asked } = request;
    const hash = createHash(digest.algorithm);
    if (asked === null) await hashFile(download, rest.start, hash);
    const last = Number.isFinite(rest.end) ? rest.end - 1 : null;
    const part = await openRemote(repository, digest, { kind: 'from', first: rest.start, last }, outlet.signal);
    if ('unsatisfiable' in part) throw unsatisfiable(part.size);
    const check = asked === null ? { hash, digest } : undefined;
    await this.#sendChecked(request, outlet, sendRemote(part, outlet, check));
  }

  /** Counts a pull whose headers go out, and what follows them. Nothing counts when there is nobody left. */
  #begin({ exchange, repository }: BlobRequest, outlet: Outlet, outcome: CacheOutcome): Answer {
    const { meters: upstream } = repository.upstream;
    const meters = upstream.answers('blob', outcome);
    if (!outlet.closed) {
      upstream.blobPulls.inc();
      meters.begun(exchange.startedMs);
    }
    outlet.countInto(meters.served, this.#egress.pieces(exchange, repository));
    return { outlet, meters };
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
    const asked = askedRange(request.headers, digest);
    if (asked === null) {
      writeHead(exchange, 200, headers);
      response.end(body);
      meters.blobPulls.inc();
      answers.whole(startedMs, body.byteLength);
      return this.#egress.whole(exchange, repository, body.byteLength);
    }
    const range = satisfy(asked, body.byteLength);
    if (range === null) throw unsatisfiable(body.byteLength);
    const { start, end } = range;
    writeHead(
      exchange,
      206,
      blobHeaders({ digest, length: end - start, range: { start, end, size: body.byteLength } }),
    );
    response.end(body.subarray(start, end));
    meters.blobPulls.inc();
    answers.whole(startedMs, end - start);
    this.#egress.whole(exchange, repository, end - start);
  }

  /** Waits for the body to be sent; one that went wrong while somebody was still there is a blob rejected. */
  async #sendChecked({ repository }: BlobRequest, outlet: Outlet, sent: Promise<void>): Promise<void> {
    try {
      await sent;
    } catch (error) {
      if (!outlet.closed) repository.upstream.meters.blobRejected.inc();
      throw error;
    }
  }
}

/** The range that is asked for; a condition (`If-Range`) that does not hold makes it the whole blob again. */
function askedRange(headers: Exchange['request']['headers'], digest: Digest): AskedRange | null {
  const condition = headers['if-range'];
  return condition === undefined || condition === `"${digest.text}"` ? parseRange(headers.range) : null;
}

/** The bytes to send; null when the blob has none of those asked for. A size that is not known has no end. */
function rangeOf(asked: AskedRange | null, size: number | null): ByteRange | null {
  if (asked === null || size === null) return { start: 0, end: size ?? Number.POSITIVE_INFINITY };
  return satisfy(asked, size);
}

function unsatisfiable(size: number | null): OciError {
  const message = `the blob has no such range; its size is ${size ?? 'not known'}`;
  return new OciError('rangeUnsatisfiable', message, { 'Content-Range': `bytes */${size ?? '*'}` });
}

function writeRangeHead({ exchange, digest, asked }: BlobRequest, range: ByteRange, size: number | null): void {
  if (asked === null) return writeHead(exchange, 200, blobHeaders({ digest, length: size }));
  writeHead(exchange, 206, blobHeaders({ digest, length: range.end - range.start, range: { ...range, size } }));
}

/** Ends an answer, unless its client has left before. */
function finish({ response, startedMs }: Exchange, { outlet, meters }: Answer): void {
  if (outlet.closed) return;
  response.end();
  meters.ended(startedMs);
}

function sendUnchanged(exchange: Exchange, repository: Repository, digest: Digest): void {
  writeHead(exchange, 304, blobIdentity(digest));
  exchange.response.end();
  repository.upstream.meters.answers('blob', 'hit').whole(exchange.startedMs, 0);
}

async function hashFile(download: Download, length: number, hash: ReturnType<typeof createHash>): Promise<void> {
  const buffer = Buffer.allocUnsafe(limits.blobReadBytes);
  for (let offset = 0; offset < length;) {
    const { bytesRead } = await download.handle.read(buffer, 0, Math.min(buffer.byteLength, length - offset), offset);
    if (bytesRead === 0) throw new Error(`a file that was read to ${length} ends at ${offset}`);
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
}
