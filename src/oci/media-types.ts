/** One image, a list of images, or one image in Docker's format before 2016. */
export type ManifestKind = 'image' | 'index' | 'schema1';

/**
 * The only table of manifest media types. `counts`: a GET answered with this type is a pull. The four types of single
 * images count. An index does not, because the client fetches an image manifest next.
 */
const manifestTypes = {
  'application/vnd.oci.image.index.v1+json': { kind: 'index', counts: false },
  'application/vnd.docker.distribution.manifest.list.v2+json': { kind: 'index', counts: false },
  'application/vnd.oci.image.manifest.v1+json': { kind: 'image', counts: true },
  'application/vnd.docker.distribution.manifest.v2+json': { kind: 'image', counts: true },
  'application/vnd.docker.distribution.manifest.v1+prettyjws': { kind: 'schema1', counts: true },
  'application/vnd.docker.distribution.manifest.v1+json': { kind: 'schema1', counts: true },
} as const satisfies Record<string, { readonly kind: ManifestKind; readonly counts: boolean }>;

type ManifestType = keyof typeof manifestTypes;

export const ociImageType = 'application/vnd.oci.image.manifest.v1+json' satisfies ManifestType;
export const ociIndexType = 'application/vnd.oci.image.index.v1+json' satisfies ManifestType;
/** Schema 1 with signatures in the body. The digest does not cover them. */
export const signedSchema1Type = 'application/vnd.docker.distribution.manifest.v1+prettyjws' satisfies ManifestType;
export const schema1Type = 'application/vnd.docker.distribution.manifest.v1+json' satisfies ManifestType;

/** The `Accept` header of every manifest request to an upstream. It lists all types, so no upstream converts one. */
export const manifestAccept = Object.keys(manifestTypes).join(', ');

const imageConfigTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** A JSON type with a definition of its own, such as an artifact's manifest. `application/json` is generic. */
const specificJsonType = /^application\/[a-z0-9!#$&^_.+-]+\+json$/;

/** A type in the vendor tree (RFC 6838, section 3.2). */
const vendorType = /^[^/]+\/vnd\./;

/** Strips the parameters and lower-cases a media type (RFC 9110, section 8.3.1), so that types can be compared. */
export function bareMediaType(text: string): string {
  const end = text.indexOf(';');
  return (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
}

function isManifestType(type: string): type is ManifestType {
  return Object.hasOwn(manifestTypes, type);
}

/** Returns the kind of a manifest, or null if the type is not one of the six. Ignores parameters and case. */
export function manifestKindOf(mediaType: string): ManifestKind | null {
  const type = bareMediaType(mediaType);
  return isManifestType(type) ? manifestTypes[type].kind : null;
}

/** Whether a GET answered with this media type is a pull. Ignores parameters and case. */
export function countsAsPull(mediaType: string): boolean {
  const type = bareMediaType(mediaType);
  return isManifestType(type) && manifestTypes[type].counts;
}

/** Whether the media type is one of the six or another `application/*+json`, and not generic. */
export function isSpecificManifestType(mediaType: string): boolean {
  const type = bareMediaType(mediaType);
  return isManifestType(type) || specificJsonType.test(type);
}

/**
 * Returns the `Content-Type` to serve a manifest with: its own if specific, otherwise one that browsers neither show
 * nor run. If an upstream labels a manifest `text/html`, it would otherwise become a page on our origin.
 */
export function servedManifestType(mediaType: string): string {
  return isSpecificManifestType(mediaType) ? bareMediaType(mediaType) : 'application/octet-stream';
}

/**
 * Classifies a manifest by the media type of its config. `image`: one of the two image config types. `artifact`: any
 * other vendor type (chart, signature...). `unknown`: any other type or none, because old clients pushed images with
 * `application/octet-stream`, `application/json` or `text/html`.
 */
export function configKindOf(mediaType: string): 'image' | 'artifact' | 'unknown' {
  const type = bareMediaType(mediaType);
  if (imageConfigTypes.has(type)) return 'image';
  return vendorType.test(type) ? 'artifact' : 'unknown';
}
