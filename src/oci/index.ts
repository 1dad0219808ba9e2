export { answerHeaders } from './answer-headers.ts';
export { parseChallenges } from './challenge.ts';
export { digestAlgorithms, digestOf, parseDigest, type Digest } from './digest.ts';
export { OciError, ociErrors, type OciErrorKind } from './errors.ts';
export { readImageConfig, type ImageFacts } from './image-config.ts';
export { readJsonObject, type JsonRules, type Sliced } from './json-reader.ts';
export { asString, isJsonObject, objectsOf, parseJsonObject, type JsonObject } from './json.ts';
export { linkTarget } from './link-header.ts';
export { descriptorsIn, readManifest, type Descriptor, type Manifest } from './manifest.ts';
export {
  bareMediaType,
  configKindOf,
  countsAsPull,
  isSpecificManifestType,
  manifestAccept,
  manifestKindOf,
  servedManifestType,
} from './media-types.ts';
export { isRepositoryName, isTag, parseReference, type Reference } from './names.ts';
