import type { Hash } from 'node:crypto';

import type { Digest } from '../oci/index.ts';
import type { Repository } from './names.ts';
import type { BodyWriter } from './body-writer.ts';
import { parseContentRange, rangeHeader, satisfy, type AskedRange, type ByteRange } from './range.ts';
import type { BlobAnswer } from './upstream/client.ts';
import { connectionFailure } from './upstream/connection.ts';
import { endlessBlob, UpstreamError } from './upstream/failure.ts';
import { abandon, type UpstreamBody } from './upstream/send.ts';

/** A part of a blob that comes straight from the upstream, for one reader. */
export interface RemotePart {
  /** First byte of the blob that is sent, and the one behind the last; null when that is not known yet. */
  readonly start: number;
  readonly end: number | null;
  /** Size of the whole blob; null when it is not known. */
  readonly size: number | null;
  /** Bytes of the body that come before `start`. */
  readonly skip: number;
  readonly body: UpstreamBody;
}

/** The upstream has no such range; its blob has this size, when it says so. */
export interface Unsatisfiable {
  readonly unsatisfiable: true;
  readonly size: number | null;
}

/**
 * Asks the upstream for a blob, or for a range of it, for one reader alone. An upstream may ignore the range and send
 * everything: then what comes before it is skipped. `size` is what is known of the blob's size, for upstreams that do not
 * say it. Rejects with `UpstreamError`, also for a range that is another one.
 */
export async function openRemote(
  repository: Repository,
  digest: Digest,
  asked: AskedRange | null,
  size: number | null,
  signal: AbortSignal,
): Promise<RemotePart | Unsatisfiable> {
  const options = asked === null ? { signal, size } : { signal, size, range: rangeHeader(asked) };
  const answer = await repository.upstream.client.getBlob(repository.name, digest, options);
  const part = asked === null ? wholeOf(answer, size) : partOf(answer, asked, size);
  if (part === null || 'unsatisfiable' in part) abandon(answer.body);
  if (part === null) throw new UpstreamError('invalid', 'sent another range than was asked for');
  return part;
}

function wholeOf({ length, body }: BlobAnswer, expectedSize: number | null): RemotePart {
  const size = length ?? expectedSize;
  return { start: 0, end: size, size, skip: 0, body };
}

function partOf(answer: BlobAnswer, asked: AskedRange, expectedSize: number | null): RemotePart | Unsatisfiable | null {
  if (answer.status === 416) {
    const size = /^bytes \*\/(\d{1,15})$/i.exec(answer.contentRange ?? '')?.[1];
    return { unsatisfiable: true, size: size === undefined ? null : Number(size) };
  }
  if (answer.status === 206) {
    const said = parseContentRange(answer.contentRange);
    if (said === null || !isWhatWasAsked(said, asked)) return null;
    return { start: said.start, end: said.end, size: said.size, skip: 0, body: answer.body };
  }
  const { body } = answer;
  const size = answer.length ?? expectedSize;
  if (size === null) return null;
  const range = satisfy(asked, size);
  return range === null ? { unsatisfiable: true, size } : { ...range, size, skip: range.start, body };
}

function isWhatWasAsked(said: ByteRange & { readonly size: number | null }, asked: AskedRange): boolean {
  if (said.size !== null) {
    const range = satisfy(asked, said.size);
    return range !== null && said.start === range.start && said.end === range.end;
  }
  return asked.kind === 'from' && said.start === asked.first && (asked.last === null || said.end <= asked.last + 1);
}

/** Cuts the wanted part out of a body, chunk by chunk; of one without a known end at most `undeclaredBytesMax`. */
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
    throw new UpstreamError('invalid', `broke off a blob ${toTake} bytes before its end`);
  }
  if (part.end === null && toTake === 0) throw endlessBlob(undeclaredBytesMax);
}

/**
 * Sends a part to its reader. With `check`, a hash over all of the blob that came before it, the digest is verified, and
 * the last chunk is sent only when it is right. Rejects with `UpstreamError` when it is not, or when the body breaks.
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
