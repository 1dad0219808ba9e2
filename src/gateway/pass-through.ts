import type { Hash } from 'node:crypto';

import type { Digest } from '../oci/index.ts';
import type { Repository } from './names.ts';
import type { BodyWriter } from './body-writer.ts';
import { parseContentRange, rangeHeader, satisfy, type ByteRange, type RequestedRange } from './range.ts';
import type { BlobAnswer } from './upstream/client.ts';
import { connectionFailure } from './upstream/connection.ts';
import { endlessBlob, UpstreamError } from './upstream/failure.ts';
import { abandon, type UpstreamBody } from './upstream/send.ts';

/** A part of a blob, directly from the upstream, for one client. */
export interface RemotePart {
  /** First byte to send. */
  readonly start: number;
  /** End of the part, exclusive; null if it is unknown. */
  readonly end: number | null;
  /** Size of the whole blob; null if it is unknown. */
  readonly size: number | null;
  /** Bytes of the body before `start`. */
  readonly skip: number;
  readonly body: UpstreamBody;
}

/** The blob has no such range. `size` is its size, if the upstream states it. */
interface Unsatisfiable {
  readonly unsatisfiable: true;
  readonly size: number | null;
}

/**
 * Requests a blob or a range of it from the upstream, for one client. If the upstream ignores the range, the bytes
 * before it are skipped. `size` is the size in a manifest, for upstreams that do not state it. Rejects with
 * `UpstreamError`, also if the upstream sends another range.
 */
export async function openRemote(
  repository: Repository,
  digest: Digest,
  requested: RequestedRange | null,
  size: number | null,
  signal: AbortSignal,
): Promise<RemotePart | Unsatisfiable> {
  const options = requested === null ? { signal, size } : { signal, size, range: rangeHeader(requested) };
  const answer = await repository.upstream.client.getBlob(repository.name, digest, options);
  const part = requested === null ? wholeOf(answer, size) : partOf(answer, requested, size);
  if (part === null || 'unsatisfiable' in part) abandon(answer.body);
  if (part === null) throw new UpstreamError('invalid', 'sent a range other than the requested one');
  return part;
}

function wholeOf({ length, body }: BlobAnswer, expectedSize: number | null): RemotePart {
  const size = length ?? expectedSize;
  return { start: 0, end: size, size, skip: 0, body };
}

function partOf(
  answer: BlobAnswer,
  requested: RequestedRange,
  expectedSize: number | null,
): RemotePart | Unsatisfiable | null {
  if (answer.status === 416) {
    const size = /^bytes \*\/(\d{1,15})$/i.exec(answer.contentRange ?? '')?.[1];
    return { unsatisfiable: true, size: size === undefined ? null : Number(size) };
  }
  if (answer.status === 206) {
    const stated = parseContentRange(answer.contentRange);
    if (stated === null || !isRequested(stated, requested)) return null;
    return { ...stated, skip: 0, body: answer.body };
  }
  const { body } = answer;
  const size = answer.length ?? expectedSize;
  if (size === null) return null;
  const range = satisfy(requested, size);
  return range === null ? { unsatisfiable: true, size } : { ...range, size, skip: range.start, body };
}

function isRequested(
  { start, end, size }: ByteRange & { readonly size: number | null },
  requested: RequestedRange,
): boolean {
  if (size !== null) {
    const range = satisfy(requested, size);
    return range !== null && start === range.start && end === range.end;
  }
  return (
    requested.kind === 'from' && start === requested.first && (requested.last === null || end <= requested.last + 1)
  );
}

/** Yields the chunks of a part. If the end is unknown, at most `undeclaredBytesMax`. */
async function* wantedChunks(part: RemotePart, undeclaredBytesMax: number): AsyncGenerator<Buffer> {
  let toSkip = part.skip;
  let toTake = part.end === null ? undeclaredBytesMax + 1 : part.end - part.start;
  if (toTake === 0) return abandon(part.body);
  try {
    for await (const chunk of part.body as AsyncIterable<Buffer>) {
      const wanted = chunk.subarray(toSkip, toSkip + toTake);
      toSkip -= Math.min(toSkip, chunk.byteLength);
      toTake -= wanted.byteLength;
      if (wanted.byteLength > 0) yield wanted;
      if (toTake === 0) break;
    }
  } catch (error) {
    throw connectionFailure(error);
  }
  if (part.end !== null && toTake > 0) {
    throw new UpstreamError('invalid', `aborted a blob ${toTake} bytes before its end`);
  }
  if (part.end === null && toTake === 0) throw endlessBlob(undeclaredBytesMax);
}

/**
 * Sends a part to the client. `check` has a hash of the blob before this part: with it, the digest is verified before
 * the last chunk is sent. Rejects with `UpstreamError` if the digest is wrong or the body is incomplete.
 */
export async function sendRemote(
  part: RemotePart,
  writer: BodyWriter,
  undeclaredBytesMax: number,
  check?: { readonly hash: Hash; readonly digest: Digest },
): Promise<void> {
  let held: Buffer | undefined;
  for await (const chunk of wantedChunks(part, undeclaredBytesMax)) {
    const ready = check === undefined ? chunk : held;
    check?.hash.update(chunk);
    held = chunk;
    if (ready !== undefined) await writer.send(ready);
    if (writer.closed) return;
  }
  if (check === undefined) return;
  if (check.hash.digest('hex') !== check.digest.hex)
    throw new UpstreamError('invalid', 'sent a blob with another digest');
  if (held !== undefined) await writer.send(held);
}
