import { isUtf8 } from 'node:buffer';
import { limits, messageOf, TonnageError } from '../base/index.ts';
import { isJsonObject, type JsonObject } from '../oci/index.ts';
import { eventOfHeaders, isBinaryMode, type HeaderLines } from './binary-mode.ts';
import { hasMoreThan } from './count-signs.ts';
import { shown, type Refusal } from './refusal.ts';

/** How the events of a request are written (HTTP protocol binding 1.0.2, section 3); `plain`: either JSON format. */
export type ContentMode = 'structured' | 'batch' | 'binary' | 'plain';

const structuredType = 'application/cloudevents+json';
const batchType = 'application/cloudevents-batch+json';

/** Media types that are taken, as descriptions name them. */
export const eventContentTypes = [structuredType, batchType, 'application/json'] as const;

/**
 * Finds out how the events of a request are written, before its body is read. Throws `unsupported_media_type` for what
 * cannot be read here.
 */
export function contentModeOf(headers: HeaderLines): ContentMode {
  const [type = '', ...parameters] = (headers['content-type']?.[0] ?? '').split(';').map((part) => part.trim());
  const bare = type.toLowerCase();
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  if (charset !== undefined && !/^charset="?(?:utf-8|us-ascii)"?$/i.test(charset)) throw unsupported(charset);
  if (bare === structuredType) return 'structured';
  if (bare === batchType) return 'batch';
  if (bare.startsWith('application/cloudevents')) throw unsupported(type);
  if (isBinaryMode(headers) && (bare === '' || bare === 'application/json' || bare.endsWith('+json'))) return 'binary';
  if (bare === 'application/json') return 'plain';
  throw unsupported(type);
}

function unsupported(type: string): TonnageError {
  const got = type === '' ? 'nothing' : shown(type);
  return new TonnageError(
    'unsupported_media_type',
    `Content-Type: expected ${eventContentTypes.join(', ')}, in UTF-8, got ${got}`,
  );
}

/**
 * The events of a body, each as the JSON event format has it but not looked at yet, in order; one that is known to be
 * none already is its refusal. Throws `bad_request` when the body holds no events at all, `request_too_large` when it
 * holds more than `limits.eventBatchMax`.
 */
export function eventsOfBody(mode: ContentMode, headers: HeaderLines, body: Uint8Array): readonly unknown[] {
  if (mode === 'binary') return [eventOfBinary(headers, body)];
  const value = jsonOfBody(body);
  if (Array.isArray(value) && mode !== 'structured') {
    if (value.length <= limits.eventBatchMax) return value;
    throw new TonnageError(
      'request_too_large',
      `expected at most ${limits.eventBatchMax} events in one request, got ${value.length}`,
    );
  }
  if (isJsonObject(value) && mode !== 'batch') return [value];
  const expected = { structured: 'an event', batch: 'a list of events', plain: 'an event or a list of events' }[mode];
  throw new TonnageError('bad_request', `body: expected ${expected}, got ${shown(value)}`);
}

function eventOfBinary(headers: HeaderLines, body: Uint8Array): JsonObject | Refusal {
  return eventOfHeaders(headers, body.length === 0 ? undefined : jsonOfBody(body));
}

/**
 * Parses JSON. Of a member that stands twice the last one counts, as the language has it. Bytes that are not UTF-8 are
 * refused: replaced by a sign, as decoders do, two ids could become one.
 */
export function jsonOfBody(body: Uint8Array): unknown {
  if (!isUtf8(body)) throw new TonnageError('bad_request', 'body: expected JSON in UTF-8, got other bytes');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  assertOrdinary(bytes);
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return value;
  } catch (thrown) {
    throw new TonnageError('bad_request', `body: expected JSON: ${messageOf(thrown).slice(0, 200)}`);
  }
}

/**
 * Millions of empty lists, or one list in the other, would keep the parser, and everybody else, waiting for a second.
 * Throws `request_too_large` for what no events look like.
 */
function assertOrdinary(body: Buffer): void {
  if (body.length <= limits.eventBodyUncountedBytesMax) return;
  const { eventBodyNodesMax: nodesMax, eventBodyMembersMax: membersMax } = limits;
  if (hasMoreThan(nodesMax, body, '{') || hasMoreThan(nodesMax, body, '[')) {
    throw new TonnageError('request_too_large', `body: expected at most ${nodesMax} objects and lists, got more`);
  }
  if (hasMoreThan(membersMax, body, ',')) {
    throw new TonnageError('request_too_large', `body: expected at most ${membersMax} members and items, got more`);
  }
}
