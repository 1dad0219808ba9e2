import type { Digest } from '../../oci/index.ts';
import { blobHeaders } from '../blob-headers.ts';
import type { HeaderList } from '../headers.ts';

/** A small blob in memory, with precomputed headers. */
export class HeldBlob {
  readonly digest: Digest;
  readonly body: Buffer;
  readonly etag: string;
  readonly headers: HeaderList;

  constructor(digest: Digest, body: Buffer) {
    this.digest = digest;
    this.body = body;
    this.etag = `"${digest.text}"`;
    this.headers = blobHeaders({ digest, length: body.byteLength });
  }

  /** Bytes in memory: the body and about 1 KiB of overhead. */
  get weight(): number {
    return this.body.byteLength + 1_024;
  }
}
