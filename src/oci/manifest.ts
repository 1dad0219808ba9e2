import { limits } from '../base/index.ts';
import { architectureOf } from './architecture.ts';
import { parseDigest, type Digest } from './digest.ts';
import type { ImageFacts } from './image-config.ts';
import { readJsonObject, type JsonRules, type Read, type Sliced } from './json-reader.ts';
import { isJsonObject, objectsOf, textOf, type JsonObject } from './json.ts';
import {
  bareMediaType,
  isSpecificManifestType,
  manifestKindOf,
  ociImageType,
  ociIndexType,
  schema1Type,
  signedSchema1Type,
  type ManifestKind,
} from './media-types.ts';
import { readSchema1Image, readSignedPayload } from './schema1.ts';

/** What one manifest says of another piece of content (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; null where the manifest does not say, as schema 1 never does. */
  readonly size: number | null;
  /** Architecture of the descriptor's platform; undefined when it has no platform, null when that names none. */
  readonly architecture?: string | null;
}

/** A manifest as far as a gateway needs it: what it is, and what it names. */
export interface Manifest {
  /** Media type without parameters, in lower case. */
  readonly mediaType: string;
  /** Null: a type that is none of the six. It is served as it is, and never counted. */
  readonly kind: ManifestKind | null;
  readonly config: Descriptor | null;
  readonly layers: readonly Descriptor[];
  /** The manifests that an index chooses from. */
  readonly manifests: readonly Descriptor[];
  /** What a schema 1 manifest says of its image; null for all other kinds, whose config says it. */
  readonly image: ImageFacts | null;
  /** The bytes that its digest is computed over: its body, but for signed schema 1 the payload without the signatures. */
  readonly digested: Uint8Array;
}

/** What a manifest may hold. Its members must be distinct, so that all readers read the same image. */
const rules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.manifestValuesMax,
  itemsMax: limits.manifestDescriptorsMax,
  distinctMembers: true,
};

/** Descriptors that one slice reads. */
const descriptorsPerSlice = 1_000;

function descriptorOf(value: unknown): Descriptor | null {
  if (!isJsonObject(value)) return null;
  const digest = parseDigest(textOf(value.digest) ?? '');
  if (digest === null) return null;
  const { size, platform } = value;
  return {
    mediaType: bareMediaType(textOf(value.mediaType) ?? ''),
    digest,
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
    ...(isJsonObject(platform) ? { architecture: architectureOf(platform.architecture) } : {}),
  };
}

function* descriptorsOf(value: unknown): Sliced<readonly Descriptor[]> {
  const descriptors: Descriptor[] = [];
  for (const [index, entry] of objectsOf(value).entries()) {
    if (index % descriptorsPerSlice === descriptorsPerSlice - 1) yield;
    const descriptor = descriptorOf(entry);
    if (descriptor !== null) descriptors.push(descriptor);
  }
  return descriptors;
}

/** Layers of schema 1 are digests alone, the newest first, and the same one may stand there often. */
function* schema1Layers({ fsLayers }: JsonObject): Sliced<readonly Descriptor[]> {
  const distinct = new Map<string, Descriptor>();
  for (const [index, layer] of objectsOf(fsLayers).entries()) {
    if (index % descriptorsPerSlice === descriptorsPerSlice - 1) yield;
    const digest = parseDigest(textOf(layer.blobSum) ?? '');
    if (digest !== null) distinct.set(digest.text, { mediaType: '', digest, size: null });
  }
  return [...distinct.values()];
}

/** Descriptors that a manifest has, those included that cannot be read. */
function countDescriptors({ config, subject, layers, manifests, fsLayers }: JsonObject): number {
  const lengths = [layers, manifests, fsLayers].map((list) => (Array.isArray(list) ? list.length : 0));
  const single = [config, subject].filter((each) => isJsonObject(each)).length;
  return lengths.reduce((sum, length) => sum + length, single);
}

/** Type and subtype, each a token (RFC 9110, section 8.3.1): it is sent in a header again. */
const mediaTypePattern = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** The type of a manifest by its members; empty when they are those of no manifest, or of two kinds at once. */
function typeByMembers({ config, layers, manifests, fsLayers, signatures }: JsonObject): string {
  const isImage = isJsonObject(config) && Array.isArray(layers);
  const isIndex = Array.isArray(manifests);
  const isSchema1 = Array.isArray(fsLayers);
  if (Number(isImage) + Number(isIndex) + Number(isSchema1) !== 1) return '';
  if (isSchema1) return Array.isArray(signatures) ? signedSchema1Type : schema1Type;
  return isImage ? ociImageType : ociIndexType;
}

/**
 * What a manifest is. One of the six types wins: the upstream's, else the body's own `mediaType`. Then any other specific
 * type does, in the same order. An upstream that is a mere file server says neither, and the body may not either: then
 * the members decide. Empty when nothing says anything.
 */
function mediaTypeOf(contentType: string | undefined, manifest: JsonObject): string {
  const said = bareMediaType(contentType ?? '');
  const own = bareMediaType(textOf(manifest.mediaType) ?? '');
  const stated = [said, own];
  const type =
    stated.find((each) => manifestKindOf(each) !== null) ??
    stated.find((each) => isSpecificManifestType(each)) ??
    [typeByMembers(manifest), said, own].find((each) => each !== '');
  return type !== undefined && mediaTypePattern.test(type) ? type : '';
}

/**
 * Reads a manifest, in slices. `contentType` is what the upstream said it is. Refuses a body that is no JSON object, is
 * beyond the limits, is ambiguous, or is of no known type. Descriptors that cannot be read are left out: the bytes are
 * served as they are.
 */
export function* readManifest(contentType: string | undefined, body: Uint8Array): Sliced<Read<Manifest>> {
  const read = yield* readJsonObject(body, rules);
  if ('refused' in read) return read;
  const manifest = read.value;
  if (countDescriptors(manifest) > limits.manifestDescriptorsMax) {
    return { refused: `has more than ${limits.manifestDescriptorsMax} descriptors` };
  }
  const mediaType = mediaTypeOf(contentType, manifest);
  if (mediaType === '') return { refused: 'is of no type that a manifest can have' };
  const kind = manifestKindOf(mediaType);
  const schema1 = kind === 'schema1';
  return {
    value: {
      mediaType,
      kind,
      config: schema1 ? null : descriptorOf(manifest.config),
      layers: yield* schema1 ? schema1Layers(manifest) : descriptorsOf(manifest.layers),
      manifests: schema1 ? [] : yield* descriptorsOf(manifest.manifests),
      image: schema1 ? yield* readSchema1Image(manifest) : null,
      digested: (mediaType === signedSchema1Type ? yield* readSignedPayload(manifest, body) : null) ?? body,
    },
  };
}

/** Everything that a manifest names, each digest once. */
export function namedBy(manifest: Manifest): readonly Descriptor[] {
  const all = [...(manifest.config === null ? [] : [manifest.config]), ...manifest.layers, ...manifest.manifests];
  return [...new Map(all.map((descriptor) => [descriptor.digest.text, descriptor])).values()];
}
