import { limits } from '../base/index.ts';
import { architectureOf } from './architecture.ts';
import { readJsonObject, type JsonRules, type Sliced } from './json-reader.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { configKindOf } from './media-types.ts';

/** Limits of an image config. Labels are free text, so two names may differ only in case. */
export const configRules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.manifestValuesMax,
  itemsMax: limits.manifestValuesMax,
  distinctMembers: false,
};

/** The properties of an image that usage depends on. */
export interface ImageFacts {
  readonly architecture: string | null;
  /** The entrypoint's arguments; empty if the image has no entrypoint. */
  readonly entrypoint: readonly string[];
}

/** An entrypoint's arguments. Docker used to write a single argument as a plain string. */
function entrypointOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((argument) => typeof argument === 'string') : [];
}

/** Returns the facts of a parsed image config. */
export function imageFactsOf(config: JsonObject): ImageFacts {
  const run = isJsonObject(config.config) ? config.config : {};
  return { architecture: architectureOf(config.architecture), entrypoint: entrypointOf(run.Entrypoint) };
}

/** Clients need an image's file system or its platform, so a config that states neither is not an image config. */
function isImageConfig({ rootfs, architecture, os }: JsonObject): boolean {
  return isJsonObject(rootfs) || (typeof architecture === 'string' && typeof os === 'string');
}

/**
 * Parses an image config (image-spec, config.md), in slices. `mediaType` is the config's type in the manifest. Returns
 * null if the bytes are not JSON, or if neither `mediaType` nor the members say that this is an image config.
 */
export function* readImageConfig(bytes: Uint8Array, mediaType: string): Sliced<ImageFacts | null> {
  const parsed = yield* readJsonObject(bytes, configRules);
  const config = 'value' in parsed ? parsed.value : null;
  if (config === null || (configKindOf(mediaType) !== 'image' && !isImageConfig(config))) return null;
  return imageFactsOf(config);
}
