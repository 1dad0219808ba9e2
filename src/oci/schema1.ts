import { Buffer } from 'node:buffer';

import { architectureOf } from './architecture.ts';
import { configRules, imageFactsOf, type ImageFacts } from './image-config.ts';
import { readJsonObject, type Sliced } from './json-reader.ts';
import { objectsOf, textOf, type JsonObject } from './json.ts';

/** A JSON object that a member holds as a text; null where it holds none. */
function* embedded(text: string | undefined, encoding: 'utf8' | 'base64url'): Sliced<JsonObject | null> {
  if (text === undefined) return null;
  const read = yield* readJsonObject(Buffer.from(text, encoding), configRules);
  return 'value' in read ? read.value : null;
}

/**
 * What a schema 1 manifest says of its image: its own `architecture`, and the entrypoint out of the newest entry of its
 * history, which holds the image's config as a text of JSON.
 */
export function* readSchema1Image(manifest: JsonObject): Sliced<ImageFacts> {
  const config = yield* embedded(textOf(objectsOf(manifest.history)[0]?.v1Compatibility), 'utf8');
  const facts = imageFactsOf(config ?? {});
  return { ...facts, architecture: architectureOf(manifest.architecture) ?? facts.architecture };
}

/**
 * The payload that the digest of a signed schema 1 manifest is computed over: the first `formatLength` bytes of its body
 * and then `formatTail`, which the first signature's protected header holds. Null where no signature says so.
 */
export function* readSignedPayload(manifest: JsonObject, body: Uint8Array): Sliced<Uint8Array | null> {
  const header = yield* embedded(textOf(objectsOf(manifest.signatures)[0]?.protected), 'base64url');
  const length = header?.formatLength;
  const tail = textOf(header?.formatTail);
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0 || tail === undefined) return null;
  if (length > body.byteLength) return null;
  return Buffer.concat([body.subarray(0, length), Buffer.from(tail, 'base64url')]);
}
