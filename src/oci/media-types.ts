/** What a manifest of a media type is: one image, a choice of images, or one image in the format before 2016. */
export type ManifestKind = 'image' | 'index' | 'schema1';

/**
 * The one table of manifest media types. `counts` says that a GET answered with it is a pull: the four types of
 * single images. An index never counts, since the client fetches the image that it chose next.
 */
export const manifestTypes = {
  'application/vnd.oci.image.index.v1+json': { kind: 'index', counts: false },
  'application/vnd.docker.distribution.manifest.list.v2+json': { kind: 'index', counts: false },
  'application/vnd.oci.image.manifest.v1+json': { kind: 'image', counts: true },
  'application/vnd.docker.distribution.manifest.v2+json': { kind: 'image', counts: true },
  'application/vnd.docker.distribution.manifest.v1+prettyjws': { kind: 'schema1', counts: true },
  'application/vnd.docker.distribution.manifest.v1+json': { kind: 'schema1', counts: true },
} as const satisfies Record<string, { readonly kind: ManifestKind; readonly counts: boolean }>;

export type ManifestType = keyof typeof manifestTypes;

/** The types of manifests that follow the image-spec. */
export const ociImageType = 'application/vnd.oci.image.manifest.v1+json' satisfies ManifestType;
export const ociIndexType = 'application/vnd.oci.image.index.v1+json' satisfies ManifestType;

/** The schema 1 type whose body carries its signatures, which its digest leaves out. */
export const signedSchema1Type = 'application/vnd.docker.distribution.manifest.v1+prettyjws' satisfies ManifestType;
export const schema1Type = 'application/vnd.docker.distribution.manifest.v1+json' satisfies ManifestType;

/** The `Accept` header of every manifest request to an upstream: all types, newest first, so that nothing is converted. */
export const manifestAccept = Object.keys(manifestTypes).join(', ');

/** Media types of an image's config. */
const imageConfigTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** A type that a specification gives to JSON of its own, such as an artifact's manifest. `application/json` says nothing. */
const specificJsonType = /^application\/[a-z0-9!#$&^_.+-]+\+json$/;

/** A type in the vendor tree (RFC 6838, section 3.2), so a vendor has defined it. */
const vendorType = /^[^/]+\/vnd\./;

/** A media type without its parameters, in lower case (RFC 9110, section 8.3.1): the form in which types compare. */
export function bareMediaType(text: string): string {
  const end = text.indexOf(';');
  return (end === -1 ? text : text.slice(0, end)).trim().toLowerCase();
}

function isManifestType(type: string): type is ManifestType {
  return Object.hasOwn(manifestTypes, type);
}

/** What a manifest of this media type is; null when the type is none of the six. Parameters and case do not matter. */
export function manifestKindOf(mediaType: string): ManifestKind | null {
  const type = bareMediaType(mediaType);
  return isManifestType(type) ? manifestTypes[type].kind : null;
}

/** Whether a GET that is answered with this media type is a pull. Parameters and case do not matter. */
export function countsAsPull(mediaType: string): boolean {
  const type = bareMediaType(mediaType);
  return isManifestType(type) && manifestTypes[type].counts;
}

/** Whether the media type defines the content, as one of the six or as another `application/*+json`. */
export function isSpecificManifestType(mediaType: string): boolean {
  const type = bareMediaType(mediaType);
  return isManifestType(type) || specificJsonType.test(type);
}

/**
 * The media type that a manifest is served as: its own where that defines the content, else one that no browser shows or
 * runs. An upstream that calls a manifest `text/html` would otherwise put a page on our origin.
 */
export function servedManifestType(mediaType: string): string {
  return isSpecificManifestType(mediaType) ? bareMediaType(mediaType) : 'application/octet-stream';
}

/**
 * What the type of a manifest's config says: `image` for the two types of image configs; `artifact` for any other vendor
 * type (chart, signature...); `unsaid` for all other types and for none, since old clients pushed images so
 * (`application/octet-stream`, `application/json`, `text/html`).
 */
export function configKindOf(mediaType: string): 'image' | 'artifact' | 'unsaid' {
  const type = bareMediaType(mediaType);
  if (imageConfigTypes.has(type)) return 'image';
  return vendorType.test(type) ? 'artifact' : 'unsaid';
}
