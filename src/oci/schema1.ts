import { Buffer } from 'node:buffer';

import { architectureOf } from './architecture.ts';
import { imageFactsOf, type ImageFacts } from './image-config.ts';
import { isJsonObject, objectsOf, parseJsonObject, textOf, type JsonObject } from './json.ts';
import { bareMediaType, signedSchema1Type } from './media-types.ts';

/**
 * What a schema 1 manifest says of its image: its own `architecture`, and the entrypoint out of the newest entry of its
 * history, which holds the image's config as a text of JSON.
 */
export function schema1Image(manifest: JsonObject): ImageFacts {
  const newest = textOf(objectsOf(manifest.history)[0]?.v1Compatibility);
  const config = newest === undefined ? null : parseJsonObject(Buffer.from(newest, 'utf8'));
  const facts = imageFactsOf(config ?? {});
  return { ...facts, architecture: architectureOf(manifest.architecture) ?? facts.architecture };
}

/** The first signature's protected header: how much of the body was signed, and what stood behind it. */
function signedFormat(manifest: JsonObject): { readonly length: number; readonly tail: Uint8Array } | null {
  const encoded = textOf(objectsOf(manifest.signatures)[0]?.protected);
  const header = encoded === undefined ? null : parseJsonObject(Buffer.from(encoded, 'base64url'));
  if (!isJsonObject(header)) return null;
  const length = header.formatLength;
  const tail = textOf(header.formatTail);
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0 || tail === undefined) return null;
  return { length, tail: Buffer.from(tail, 'base64url') };
}

/**
 * The bytes that a manifest's digest is computed over. These are its body, but for the signed schema 1 type: there they
 * are the payload without the signatures, which is the first `formatLength` bytes and then `formatTail`.
 */
export function digestedBytes(mediaType: string, body: Uint8Array): Uint8Array {
  if (bareMediaType(mediaType) !== signedSchema1Type) return body;
  const manifest = parseJsonObject(body);
  const format = manifest === null ? null : signedFormat(manifest);
  if (format === null || format.length > body.byteLength) return body;
  return Buffer.concat([body.subarray(0, format.length), format.tail]);
}
