import type { Digest } from '../oci/index.ts';
import { identityHeaders, type HeaderList } from './headers.ts';
import type { ByteRange } from './range.ts';

interface BlobHeaders {
  readonly digest: Digest;
  /** Length of the body; null if it is unknown, so that the body is sent in chunks. */
  readonly length: number | null;
  /** For a 206: the range and the size of the whole blob. */
  readonly range?: ByteRange & { readonly size: number | null };
}

/** Returns the headers of a 200 or 206. */
export function blobHeaders({ digest, length, range }: BlobHeaders): HeaderList {
  const headers = ['Content-Type', 'application/octet-stream'];
  if (length !== null) headers.push('Content-Length', String(length));
  if (range !== undefined) {
    headers.push('Content-Range', `bytes ${range.start}-${range.end - 1}/${range.size ?? '*'}`);
  }
  headers.push('Accept-Ranges', 'bytes', ...blobIdentity(digest));
  return headers;
}

/** Returns the headers that identify a blob, for 200, 206 and 304. The content of a digest never changes. */
export function blobIdentity(digest: Digest): HeaderList {
  return identityHeaders(digest, 'private, max-age=31536000, immutable');
}
