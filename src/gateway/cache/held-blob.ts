import type { Digest } from '../../oci/index.ts';
import { blobHeaders } from '../blob-headers.ts';
import type { HeaderList } from '../headers.ts';

/** A small blob in memory, with everything that answering it takes, computed once. */
export class HeldBlob {
  readonly digest: Digest;
  readonly body: Buffer;
  readonly etag: string;
  /** Headers of a 200. */
  readonly headers: HeaderList;

  constructor(digest: Digest, body: Buffer) {
    this.digest = digest;
    this.body = body;
    this.etag = `"${digest.text}"`;
    this.headers = blobHeaders({ digest, length: body.byteLength });
  }

  /** Bytes that it takes in memory, with about a kibibyte for what stands around the body. */
  get weight(): number {
    return this.body.byteLength + 1_024;
  }
}
