import type { Transform } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';

export type ContentCoding = 'gzip' | 'zstd' | 'identity';

/** Codings that an answer may have, the one we prefer first where a reader likes several equally. */
const codings: readonly ContentCoding[] = ['zstd', 'gzip', 'identity'];

/**
 * The coding of an answer by its request's `Accept-Encoding` (RFC 9110, section 12.5.3). Without the header, and for one
 * that makes no sense, there is none: a reader that cannot undo it would be lost.
 */
export function chooseCoding(header: string | undefined): ContentCoding {
  const qualities = new Map<string, number>();
  for (const entry of (header ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1');
    if (name !== '') qualities.set(name, Number.isFinite(quality) ? quality : 0);
  }
  const qualityOf = (coding: ContentCoding): number =>
    qualities.get(coding) ?? (coding === 'identity' ? 0.0001 : (qualities.get('*') ?? 0));
  const best = codings.reduce((left, right) => (qualityOf(right) > qualityOf(left) ? right : left));
  return qualityOf(best) > 0 ? best : 'identity';
}

/** The stream that applies a coding; none for `identity`. Fast settings: a scrape is read once and thrown away. */
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
