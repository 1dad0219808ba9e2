import type { Digest } from '../oci/index.ts';
import { baseHeaders, type HeaderList } from './headers.ts';
import type { ByteRange } from './range.ts';

/** What an answer about a blob says of it. */
export interface BlobHeaders {
  readonly digest: Digest;
  /** Length of the body; null when it is not known, and the body is sent in chunks. */
  readonly length: number | null;
  /** The range that a 206 holds, and the size of the whole blob. */
  readonly range?: ByteRange & { readonly size: number | null };
}

/** Headers of a 200 or 206. */
export function blobHeaders({ digest, length, range }: BlobHeaders): HeaderList {
  const headers = ['Content-Type', 'application/octet-stream'];
  if (length !== null) headers.push('Content-Length', String(length));
  if (range !== undefined) {
    headers.push('Content-Range', `bytes ${range.start}-${range.end - 1}/${range.size ?? '*'}`);
  }
  headers.push('Accept-Ranges', 'bytes', ...blobIdentity(digest));
  return headers;
}

/** Headers that name the blob, of every answer that has it or stands for it: a digest never means anything else. */
export function blobIdentity(digest: Digest): HeaderList {
  return [
    'Docker-Content-Digest',
    digest.text,
    'ETag',
    `"${digest.text}"`,
    'Cache-Control',
    'private, max-age=31536000, immutable',
    ...baseHeaders,
  ];
}
