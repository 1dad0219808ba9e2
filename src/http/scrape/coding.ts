import type { Transform } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';
import { parseQualities } from '../qualities.ts';

export type ContentCoding = 'gzip' | 'zstd' | 'identity';

/** Supported codings. The first one wins if the client prefers several equally. */
const codings: readonly ContentCoding[] = ['zstd', 'gzip', 'identity'];

/**
 * Chooses the coding of a response by the request's `Accept-Encoding` (RFC 9110, section 12.5.3). `identity` if the
 * header is missing or invalid, because the client may not be able to decode anything else.
 */
export function chooseCoding(header: string | undefined): ContentCoding {
  const qualities = parseQualities(header ?? '');
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
