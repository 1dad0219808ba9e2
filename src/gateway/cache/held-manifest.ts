import { limits } from '../../base/index.ts';
import {
  configKindOf,
  countsAsPull,
  servedManifestType,
  type Digest,
  type ImageFacts,
  type Manifest,
} from '../../oci/index.ts';
import { identityHeaders, type HeaderList } from '../headers.ts';

/** The facts that are recorded with a pull; null and false if the image does not state them. */
export interface Facts {
  readonly architecture: string | null;
  readonly fusion: boolean;
}

const noChildren: ReadonlySet<string> = new Set();

/** A manifest in memory, with precomputed headers. */
export class HeldManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly body: Buffer;
  /** Whether a GET of this manifest is a pull. */
  readonly counts: boolean;
  readonly etag: string;
  /** Headers of a 200. */
  readonly headers: HeaderList;
  /** Headers of a 304. */
  readonly unchangedHeaders: HeaderList;
  /** Null until they are found, then constant. */
  facts: Facts | null = null;
  /** Digests of the manifests in an index, if tag memory needs them. Set before the manifest is cached. */
  children: ReadonlySet<string> = noChildren;

  constructor(digest: Digest, mediaType: string, body: Buffer) {
    this.digest = digest;
    this.mediaType = mediaType;
    this.body = body;
    this.counts = countsAsPull(mediaType);
    this.etag = `"${digest.text}"`;
    // `private, no-cache`: pulls answered by a cache in between would not be counted.
    this.unchangedHeaders = identityHeaders(digest, 'private, no-cache');
    this.headers = [
      'Content-Type',
      servedManifestType(mediaType),
      'Content-Length',
      String(body.byteLength),
      ...this.unchangedHeaders,
    ];
  }

  /** Bytes in memory: the body and about 2 KiB of overhead. */
  get weight(): number {
    return this.body.byteLength + 2_048;
  }
}

/** The facts of an artifact that is not an image. */
export const notAnImage: ImageFacts = { architecture: null, entrypoint: [] };

/** Whether the facts are in the config. A config of unknown type is read if it is small and the manifest has layers. */
function isConfigToRead({ config, layers }: Manifest): boolean {
  const kind = config === null ? 'artifact' : configKindOf(config.mediaType);
  if (kind !== 'unknown') return kind === 'image';
  return layers.length > 0 && (config?.size ?? 0) <= limits.imageConfigBytesMax;
}

/**
 * Returns the facts in a manifest itself: those of a schema 1 image, or `notAnImage` for an artifact (a chart, a
 * signature). Null if the facts are in the config.
 */
export function factsInManifest(manifest: Manifest): ImageFacts | null {
  if (manifest.kind === 'schema1') return manifest.image;
  return isConfigToRead(manifest) ? null : notAnImage;
}
