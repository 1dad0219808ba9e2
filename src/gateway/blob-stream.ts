import type { FileHandle } from 'node:fs/promises';

import { limits } from '../base/index.ts';
import type { Download } from './cache/download.ts';
import type { BodyWriter } from './body-writer.ts';
import type { ByteRange } from './range.ts';
import { UpstreamError } from './upstream/failure.ts';

/** The end of `follow`: everything was sent, the client disconnected, or the disk failed at `offset`. */
type Followed = { readonly kind: 'sent' | 'disconnected' } | { readonly kind: 'detached'; readonly offset: number };

/** Sends a part of a file at the client's speed. Rejects if the file is too short. */
export async function sendFile(handle: FileHandle, range: ByteRange, writer: BodyWriter): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(limits.blobReadBytes, range.end - range.start));
  for (let offset = range.start; offset < range.end && !writer.closed;) {
    offset += await sendSome(handle, buffer, { start: offset, end: range.end }, writer);
  }
}

/** Sends at most one buffer of the range, and resolves with the number of bytes. */
async function sendSome(handle: FileHandle, buffer: Buffer, range: ByteRange, writer: BodyWriter): Promise<number> {
  const wanted = Math.min(buffer.byteLength, range.end - range.start);
  const { bytesRead } = await handle.read(buffer, 0, wanted, range.start);
  if (bytesRead === 0) throw new Error(`expected a cached blob of at least ${range.end} bytes, got ${range.start}`);
  await writer.send(buffer.subarray(0, bytesRead));
  return bytesRead;
}

/**
 * Returns how far a reader of a download may read. Its last byte is held back until the digest is verified, so that no
 * client ever gets a complete response with wrong content.
 */
function readableEnd(download: Download, end: number): number {
  const available = Math.min(download.written, end);
  return download.state.kind === 'verified' ? available : Math.max(available - 1, 0);
}

/** Waits until a part of the range can be sent, the download has ended, or the client has disconnected. */
export async function awaitReadable(download: Download, range: ByteRange, writer: BodyWriter): Promise<void> {
  for (;;) {
    const { kind } = download.state;
    if (writer.closed || kind === 'failed' || kind === 'detached' || kind === 'verified') return;
    if (readableEnd(download, range.end) > range.start) return;
    await writer.until(download.changed());
  }
}

/**
 * Sends a part of a blob that is being downloaded, at the client's speed. `range.end` may be beyond the end if the size
 * is unknown. Rejects with `UpstreamError` if the download fails.
 */
export async function follow(download: Download, range: ByteRange, writer: BodyWriter): Promise<Followed> {
  let buffer: Buffer | undefined;
  let offset = range.start;
  for (;;) {
    await awaitReadable(download, { start: offset, end: range.end }, writer);
    if (writer.closed) return { kind: 'disconnected' };
    const { state } = download;
    if (state.kind === 'failed') throw state.error;
    const end = readableEnd(download, range.end);
    if (offset < end) {
      buffer ??= Buffer.allocUnsafe(Math.min(limits.blobReadBytes, range.end - range.start));
      offset += await sendSome(download.handle, buffer, { start: offset, end }, writer);
    } else if (state.kind === 'verified') {
      if (range.end !== Number.POSITIVE_INFINITY && offset < range.end) {
        throw new UpstreamError('invalid', `sent ${offset} bytes, expected ${range.end}`);
      }
      return { kind: 'sent' };
    } else if (state.kind === 'detached') {
      return { kind: 'detached', offset };
    }
  }
}
