import { architectureOf } from './architecture.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from './json.ts';

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

/** Reads the facts out of an image config's bytes (image-spec, config.md); null when they are no JSON object. */
export function parseImageConfig(bytes: Uint8Array): ImageFacts | null {
  const config = parseJsonObject(bytes);
  return config === null ? null : imageFactsOf(config);
}
