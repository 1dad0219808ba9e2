import type { FileHandle } from 'node:fs/promises';

import { limits } from '../base/index.ts';
import type { Download } from './cache/download.ts';
import type { BodyWriter } from './body-writer.ts';
import type { ByteRange } from './range.ts';
import { UpstreamError } from './upstream/failure.ts';

/** How following a download ended: everything was sent, the client left, or the disk did not take the rest. */
export type Followed = { readonly kind: 'sent' | 'left' } | { readonly kind: 'detached'; readonly offset: number };

/** Sends a part of a file, at the speed of its reader. Rejects when the file is shorter than it was said to be. */
export async function sendFile(handle: FileHandle, range: ByteRange, writer: BodyWriter): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(limits.blobReadBytes, range.end - range.start));
  for (let offset = range.start; offset < range.end && !writer.closed;) {
    offset += await sendSome(handle, buffer, { start: offset, end: range.end }, writer);
  }
}

/** Sends as much as one buffer holds, and answers how much that was. */
async function sendSome(handle: FileHandle, buffer: Buffer, range: ByteRange, writer: BodyWriter): Promise<number> {
  const wanted = Math.min(buffer.byteLength, range.end - range.start);
  const { bytesRead } = await handle.read(buffer, 0, wanted, range.start);
  if (bytesRead === 0) throw new Error(`a cached blob ends at ${range.start}, before ${range.end}`);
  await writer.send(buffer.subarray(0, bytesRead));
  return bytesRead;
}

/**
 * How far a reader of a download may go. The last byte that it asked for is held back until the digest is known to be
 * right, so that nobody ever has a whole answer out of content that turns out to be something else.
 */
function readableEnd(download: Download, end: number): number {
  const there = Math.min(download.written, end);
  return download.state.kind === 'verified' ? there : Math.max(there - 1, 0);
}

/** Waits until something of the range can be sent, or the download has come to an end of some kind. */
export async function awaitReadable(download: Download, range: ByteRange, writer: BodyWriter): Promise<void> {
  for (;;) {
    const { kind } = download.state;
    if (writer.closed || kind === 'failed' || kind === 'detached' || kind === 'verified') return;
    if (readableEnd(download, range.end) > range.start) return;
    await writer.until(download.changed());
  }
}

/**
 * Sends a part of a blob that is still on its way, at the speed of its reader. `range.end` may lie beyond the end when
 * the size is not known yet. Rejects with `UpstreamError` when there will be no blob.
 */
export async function follow(download: Download, range: ByteRange, writer: BodyWriter): Promise<Followed> {
  let buffer: Buffer | undefined;
  let offset = range.start;
  for (;;) {
    await awaitReadable(download, { start: offset, end: range.end }, writer);
    if (writer.closed) return { kind: 'left' };
    const { state } = download;
    if (state.kind === 'failed') throw state.error;
    const end = readableEnd(download, range.end);
    if (offset < end) {
      buffer ??= Buffer.allocUnsafe(Math.min(limits.blobReadBytes, range.end - range.start));
      offset += await sendSome(download.handle, buffer, { start: offset, end }, writer);
    } else if (state.kind === 'verified') {
      if (range.end !== Number.POSITIVE_INFINITY && offset < range.end) {
        throw new UpstreamError('invalid', `sent ${offset} bytes where ${range.end} were announced`);
      }
      return { kind: 'sent' };
    } else if (state.kind === 'detached') {
      return { kind: 'detached', offset };
    }
  }
}
