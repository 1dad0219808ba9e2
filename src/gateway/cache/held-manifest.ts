import { limits } from '../../base/index.ts';
import {
  configKindOf,
  countsAsPull,
  servedManifestType,
  type Digest,
  type ImageFacts,
  type Manifest,
} from '../../oci/index.ts';
import { baseHeaders, type HeaderList } from '../headers.ts';

/** What a pull is recorded with: null and false where the image does not say. */
export interface Facts {
  readonly architecture: string | null;
  readonly fusion: boolean;
}

const noChildren: ReadonlySet<string> = new Set();

/** A manifest in memory, with everything that answering it takes, computed once. */
export class HeldManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly body: Buffer;
  /** Whether a GET of it is a pull. */
  readonly counts: boolean;
  readonly etag: string;
  /** Headers of a 200. */
  readonly headers: HeaderList;
  /** Headers of a 304. */
  readonly unchangedHeaders: HeaderList;
  /** Null until they are found. Never changes once they are. */
  facts: Facts | null = null;
  /** Digests of the manifests that an index names; empty where they do not matter. Set before it is kept in memory. */
  children: ReadonlySet<string> = noChildren;

  constructor(digest: Digest, mediaType: string, body: Buffer) {
    this.digest = digest;
    this.mediaType = mediaType;
    this.body = body;
    this.counts = countsAsPull(mediaType);
    this.etag = `"${digest.text}"`;
    // `private, no-cache`: a cache in between would answer pulls that nobody counts.
    this.unchangedHeaders = [
      'Docker-Content-Digest',
      digest.text,
      'ETag',
      this.etag,
      'Cache-Control',
      'private, no-cache',
      ...baseHeaders,
    ];
    this.headers = [
      'Content-Type',
      servedManifestType(mediaType),
      'Content-Length',
      String(body.byteLength),
      ...this.unchangedHeaders,
    ];
  }

  /** Bytes that it takes in memory, with about two kibibytes for what stands around the body. */
  get weight(): number {
    return this.body.byteLength + 2_048;
  }
}

/** The facts of what is no image. */
export const notAnImage: ImageFacts = { architecture: null, entrypoint: [] };

/** Whether the config of a manifest has to be read to know the image. One that may be anything is read where there are layers. */
function isConfigToRead({ config, layers }: Manifest): boolean {
  const kind = config === null ? 'artifact' : configKindOf(config.mediaType);
  if (kind !== 'unknown') return kind === 'image';
  return layers.length > 0 && (config?.size ?? 0) <= limits.imageConfigBytesMax;
}

/**
 * The facts that a manifest says of its image by itself: all of them for schema 1, none for an artifact (a chart, a
 * signature), which is no image. Null when its config says them.
 */
export function factsInManifest(manifest: Manifest): ImageFacts | null {
  if (manifest.kind === 'schema1') return manifest.image;
  return isConfigToRead(manifest) ? null : notAnImage;
}
