import { Buffer } from 'node:buffer';

import { architectureOf } from './architecture.ts';
import { configRules, imageFactsOf, type ImageFacts } from './image-config.ts';
import { readJsonObject, type Sliced } from './json-reader.ts';
import { asString, objectsOf, type JsonObject } from './json.ts';

/** Parses a JSON object that a string member contains. Null if the member is missing or malformed. */
function* embedded(value: unknown, encoding: 'utf8' | 'base64url'): Sliced<JsonObject | null> {
  if (typeof value !== 'string') return null;
  const parsed = yield* readJsonObject(Buffer.from(value, encoding), configRules);
  return 'value' in parsed ? parsed.value : null;
}

/**
 * Returns the facts of a schema 1 manifest: its own `architecture`, and the entrypoint in the newest entry of its
 * history, which contains the image config as a JSON string.
 */
export function* readSchema1Image(manifest: JsonObject): Sliced<ImageFacts> {
  const config = yield* embedded(objectsOf(manifest.history)[0]?.v1Compatibility, 'utf8');
  const facts = imageFactsOf(config ?? {});
  return { ...facts, architecture: architectureOf(manifest.architecture) ?? facts.architecture };
}

/**
 * Returns the payload that the digest of a signed schema 1 manifest covers: the first `formatLength` bytes of the body
 * and then `formatTail`. Both are in the first signature's protected header. Null if they are missing or invalid.
 */
export function* readSignedPayload(manifest: JsonObject, body: Uint8Array): Sliced<Uint8Array | null> {
  const header = yield* embedded(objectsOf(manifest.signatures)[0]?.protected, 'base64url');
  const length = header?.formatLength;
  const tail = asString(header?.formatTail);
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0 || tail === undefined) return null;
  if (length > body.byteLength) return null;
  return Buffer.concat([body.subarray(0, length), Buffer.from(tail, 'base64url')]);
}
