import { limits } from '../base/index.ts';
import { architectureOf } from './architecture.ts';
import { parseDigest, type Digest } from './digest.ts';
import type { ImageFacts } from './image-config.ts';
import { readJsonObject, type JsonRules, type Parsed, type Sliced } from './json-reader.ts';
import { asString, isJsonObject, objectsOf, type JsonObject } from './json.ts';
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

/** A manifest's description of other content (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes; null if the manifest does not say. Schema 1 never does. */
  readonly size: number | null;
  /** Architecture of the descriptor's platform; undefined if it has no platform, null if the platform names none. */
  readonly architecture?: string | null;
}

/** The parts of a manifest that the gateway needs. */
export interface Manifest {
  /** Media type without parameters, in lower case. */
  readonly mediaType: string;
  /** Null if the type is not one of the six: the gateway serves such a manifest unchanged and never counts it. */
  readonly kind: ManifestKind | null;
  readonly config: Descriptor | null;
  readonly layers: readonly Descriptor[];
  /** The entries of an index. */
  readonly manifests: readonly Descriptor[];
  /** The facts in a schema 1 manifest; null for other kinds, whose facts are in the config. */
  readonly image: ImageFacts | null;
  /** The bytes that the digest covers: the body, or the payload without signatures for signed schema 1. */
  readonly digested: Uint8Array;
}

/** Limits of a manifest. Members must be distinct, so that every client sees the same image. */
const rules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.manifestValuesMax,
  itemsMax: limits.manifestDescriptorsMax,
  distinctMembers: true,
};

/** Descriptors per slice. */
const descriptorsPerSlice = 1_000;

function descriptorOf(value: unknown): Descriptor | null {
  if (!isJsonObject(value)) return null;
  const digest = parseDigest(asString(value.digest) ?? '');
  if (digest === null) return null;
  const { size, platform } = value;
  return {
    mediaType: bareMediaType(asString(value.mediaType) ?? ''),
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

/** Schema 1 lists its layers as bare digests, newest first, and may repeat a digest. */
function* schema1Layers({ fsLayers }: JsonObject): Sliced<readonly Descriptor[]> {
  const distinct = new Map<string, Descriptor>();
  for (const [index, layer] of objectsOf(fsLayers).entries()) {
    if (index % descriptorsPerSlice === descriptorsPerSlice - 1) yield;
    const digest = parseDigest(asString(layer.blobSum) ?? '');
    if (digest !== null) distinct.set(digest.text, { mediaType: '', digest, size: null });
  }
  return [...distinct.values()];
}

/** The number of descriptors in a manifest, including malformed ones. */
function countDescriptors({ config, subject, layers, manifests, fsLayers }: JsonObject): number {
  const lengths = [layers, manifests, fsLayers].map((list) => (Array.isArray(list) ? list.length : 0));
  const single = [config, subject].filter((each) => isJsonObject(each)).length;
  return lengths.reduce((sum, length) => sum + length, single);
}

/** Type and subtype, each a token (RFC 9110, section 8.3.1): the gateway sends the type in a response header. */
const mediaTypePattern = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** Infers a manifest's type from its members. Empty if they match no kind, or more than one. */
function typeByMembers({ config, layers, manifests, fsLayers, signatures }: JsonObject): string {
  const isImage = isJsonObject(config) && Array.isArray(layers);
  const isIndex = Array.isArray(manifests);
  const isSchema1 = Array.isArray(fsLayers);
  if (Number(isImage) + Number(isIndex) + Number(isSchema1) !== 1) return '';
  if (isSchema1) return Array.isArray(signatures) ? signedSchema1Type : schema1Type;
  return isImage ? ociImageType : ociIndexType;
}

/**
 * Decides a manifest's media type. Both `Content-Type` and the body's own `mediaType` may state it. In this order:
 * 1. a stated type that is one of the six,
 * 2. a stated type that is specific,
 * 3. the type that the members imply (a plain file server states only generic types),
 * 4. any stated type.
 * `Content-Type` precedes `mediaType` within each step. Empty if nothing states a valid type.
 */
function mediaTypeOf(contentType: string | undefined, manifest: JsonObject): string {
  const stated = [bareMediaType(contentType ?? ''), bareMediaType(asString(manifest.mediaType) ?? '')];
  const type =
    stated.find((each) => manifestKindOf(each) !== null) ??
    stated.find((each) => isSpecificManifestType(each)) ??
    [typeByMembers(manifest), ...stated].find((each) => each !== '');
  return type !== undefined && mediaTypePattern.test(type) ? type : '';
}

/**
 * Parses a manifest, in slices. `contentType` is the upstream's. Rejects a body that is not a JSON object, exceeds a
 * limit, is ambiguous, or has no media type. Malformed descriptors are skipped: the gateway serves the bytes unchanged.
 */
export function* readManifest(contentType: string | undefined, body: Uint8Array): Sliced<Parsed<Manifest>> {
  const parsed = yield* readJsonObject(body, rules);
  if ('problem' in parsed) return parsed;
  const manifest = parsed.value;
  if (countDescriptors(manifest) > limits.manifestDescriptorsMax) {
    return { problem: `has more than ${limits.manifestDescriptorsMax} descriptors` };
  }
  const mediaType = mediaTypeOf(contentType, manifest);
  if (mediaType === '') return { problem: 'has no valid media type' };
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

/** Returns the descriptors of the config, layers and manifests, each digest once. */
export function descriptorsIn(manifest: Manifest): readonly Descriptor[] {
  const all = [...(manifest.config === null ? [] : [manifest.config]), ...manifest.layers, ...manifest.manifests];
  return [...new Map(all.map((descriptor) => [descriptor.digest.text, descriptor])).values()];
}
