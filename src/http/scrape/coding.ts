import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { parseQualities } from '../qualities.ts';

export type ContentCoding = 'gzip' | 'zstd' | 'identity';

/** Supported codings. The first one wins if the client prefers several equally. */
const codings: readonly ContentCoding[] = ['zstd', 'gzip', 'identity'];

/**
 * Chooses the coding of a response by the request's `Accept-Encoding` (RFC 9110, section 12.5.3). `identity` if the
 * header is missing or invalid, because the client may not be able to decode anything else.
 */
export function chooseCoding(header: string | readonly string[] | undefined): ContentCoding {
  const qualities = parseQualities(typeof header === 'string' ? header : (header?.join(',') ?? ''));
  const qualityOf = (coding: ContentCoding): number =>
    qualities.get(coding) ?? (coding === 'identity' ? 0.0001 : (qualities.get('*') ?? 0));
  const best = codings.reduce((left, right) => (qualityOf(right) > qualityOf(left) ? right : left));
  return qualityOf(best) > 0 ? best : 'identity';
}

/** Returns a stream that applies the coding; `undefined` for `identity`. Speed matters more than size for a scrape. */
export function compressor(coding: ContentCoding): Transform | undefined {
  switch (coding) {
    case 'gzip':
      return createGzip({ level: 3 });
    case 'zstd':
      return createZstdCompress();
    case 'identity':
      return undefined;
  }
}

/** Yields the chunks of a body with the coding applied. */
export async function* coded(
  chunks: AsyncIterable<Uint8Array>,
  coding: ContentCoding,
): AsyncGenerator<Uint8Array, void> {
  const compress = compressor(coding);
  if (compress === undefined) {
    yield* chunks;
    return;
  }
  // An error of the chunks destroys the compressor, so that the caller gets it as well.
  pipeline(Readable.from(chunks, { objectMode: false }), compress).catch(() => undefined);
  yield* compress;
}
