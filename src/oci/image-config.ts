import { limits } from '../base/index.ts';
import { architectureOf } from './architecture.ts';
import { readJsonObject, type JsonRules, type Sliced } from './json-reader.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { configKindOf } from './media-types.ts';

/** What an image config may hold. Its labels are free, so that two of them may differ only in case. */
export const configRules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.manifestValuesMax,
  itemsMax: limits.manifestValuesMax,
  distinctMembers: false,
};

/** What is known of an image itself. */
export interface ImageFacts {
  readonly architecture: string | null;
  /** The words of its entrypoint; empty when it has none. */
  readonly entrypoint: readonly string[];
}

/** The words of an entrypoint; Docker wrote a single text where there is one word only. */
function wordsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

/** Reads the facts out of an image config that is parsed already. */
export function imageFactsOf(config: JsonObject): ImageFacts {
  const run = isJsonObject(config.config) ? config.config : {};
  return { architecture: architectureOf(config.architecture), entrypoint: wordsOf(run.Entrypoint) };
}

/** Whether a JSON object is an image config: clients need its file system, or what it runs on. */
function isImageConfig({ rootfs, architecture, os }: JsonObject): boolean {
  return isJsonObject(rootfs) || (typeof architecture === 'string' && typeof os === 'string');
}

/**
 * Reads the facts out of an image config's bytes (image-spec, config.md), in slices. `mediaType` is what the manifest calls them:
 * where that does not say that they are an image config, they must look like one. Null when they are none.
 */
export function* readImageConfig(bytes: Uint8Array, mediaType: string): Sliced<ImageFacts | null> {
  const read = yield* readJsonObject(bytes, configRules);
  const config = 'value' in read ? read.value : null;
  if (config === null || (configKindOf(mediaType) !== 'image' && !isImageConfig(config))) return null;
  return imageFactsOf(config);
}
