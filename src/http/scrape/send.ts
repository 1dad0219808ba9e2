import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { codeOf, TonnageError } from '../../base/index.ts';
import { compressor, type ContentCoding } from './coding.ts';
import type { Exposition } from './scrapes.ts';

interface SendOptions {
  /** Applied while the exposition is sent. `identity` for an exposition that is encoded already. */
  readonly coding: ContentCoding;
  readonly headers: OutgoingHttpHeaders;
  readonly response: ServerResponse;
  /** Aborts the response. */
  readonly signal: AbortSignal;
}

/**
 * Sends an exposition with status 200, at the reader's speed, with a Content-Length if its length is known; to a HEAD
 * request, the headers only.
 */
export async function sendExposition(exposition: Exposition, options: SendOptions): Promise<void> {
  const { coding, headers, response, signal } = options;
  const length = coding === 'identity' && exposition.kind === 'whole' ? exposition.length : undefined;
  response.writeHead(200, { ...headers, ...(length !== undefined && { 'content-length': length }) });
  if (response.req.method === 'HEAD') return void response.end();
  if (length !== undefined && exposition.kind === 'whole') return sendWhole(exposition.chunks, response, signal);
  const body = Readable.from(exposition.chunks, { objectMode: false });
  const compress = compressor(coding);
  if (compress) await pipeline(body, compress, response, { signal });
  else await pipeline(body, response, { signal });
}

/**
 * Hands over all chunks at once. The kernel then takes them as fast as the reader reads, however busy the event loop is.
 * Other responses share the chunks, so a slow reader costs no memory of its own.
 */
async function sendWhole(chunks: readonly Uint8Array[], response: ServerResponse, signal: AbortSignal): Promise<void> {
  response.cork();
  for (const chunk of chunks) response.write(chunk);
  response.end();
  response.uncork();
  await finished(response, { signal });
}

/**
 * Runs `work`, which answers a scrape. Its signal aborts after `deadlineMs`, and when the scraper disconnects. Rejects
 * with `unavailable` at the deadline.
 */
export async function untilDeadline<T>(
  response: ServerResponse,
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const disconnected = new AbortController();
  response.once('close', () => response.writableFinished || disconnected.abort());
  const deadline = AbortSignal.timeout(deadlineMs);
  try {
    return await work(AbortSignal.any([deadline, disconnected.signal]));
  } catch (cause) {
    if (deadline.aborted) {
      throw new TonnageError('unavailable', `the scrape took longer than ${deadlineMs} ms`, { cause });
    }
    if (disconnected.signal.aborted && isEndOfConnection(cause)) throw new Error('the scraper disconnected', { cause });
    throw cause;
  }
}

/** Whether a stream reports that the scraper disconnected, as opposed to an error of rendering. */
function isEndOfConnection(error: unknown): boolean {
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return isAbort || codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE';
}
