export { answerHeaders } from './answer-headers.ts';
export { architectureOf } from './architecture.ts';
export { parseChallenges, type Challenge } from './challenge.ts';
export { digestAlgorithms, digestOf, parseDigest, type Digest, type DigestAlgorithm } from './digest.ts';
export { OciError, ociErrors, type OciErrorKind } from './errors.ts';
export { readImageConfig, type ImageFacts } from './image-config.ts';
export { readJsonObject, type JsonRules, type Read, type Sliced } from './json-reader.ts';
export { isJsonObject, objectsOf, parseJsonObject, textOf, type JsonObject } from './json.ts';
export { linkTarget } from './link-header.ts';
export { namedBy, readManifest, type Descriptor, type Manifest } from './manifest.ts';
export {
  bareMediaType,
  configKindOf,
  countsAsPull,
  isSpecificManifestType,
  manifestAccept,
  manifestKindOf,
  manifestTypes,
  servedManifestType,
  type ManifestKind,
  type ManifestType,
} from './media-types.ts';
export { isRepositoryName, isTag, parseReference, type Reference } from './names.ts';
