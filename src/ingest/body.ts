import { isUtf8 } from 'node:buffer';
import { limits, messageOf, TonnageError } from '../base/index.ts';
import { isJsonObject, type JsonObject } from '../oci/index.ts';
import { eventOfHeaders, isBinaryMode, type HeaderLines } from './binary-mode.ts';
import { hasMoreThan } from './count-characters.ts';
import { shown, type Refusal } from './refusal.ts';

/** The content mode of a request (HTTP protocol binding 1.0.2, section 3). `plain`: structured or batch, with type application/json. */
export type ContentMode = 'structured' | 'batch' | 'binary' | 'plain';

const structuredType = 'application/cloudevents+json';
const batchType = 'application/cloudevents-batch+json';

/** The accepted media types, for API descriptions. */
export const eventContentTypes = [structuredType, batchType, 'application/json'] as const;

/** The content mode of a request, from its headers. Throws `unsupported_media_type`. */
export function contentModeOf(headers: HeaderLines): ContentMode {
  const [type = '', ...parameters] = (headers['content-type']?.[0] ?? '').split(';').map((part) => part.trim());
  const mediaType = type.toLowerCase();
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  if (charset !== undefined && !/^charset="?(?:utf-8|us-ascii)"?$/i.test(charset)) throw unsupported(charset);
  if (mediaType === structuredType) return 'structured';
  if (mediaType === batchType) return 'batch';
  if (mediaType.startsWith('application/cloudevents')) throw unsupported(type);
  if (isBinaryMode(headers) && (mediaType === '' || mediaType === 'application/json' || mediaType.endsWith('+json')))
    return 'binary';
  if (mediaType === 'application/json') return 'plain';
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
 * The events of a body in the JSON event format, in order and not yet validated. An event with invalid headers is a
 * `Refusal`. Throws `bad_request` for a body that is not an event or a list of events, and `request_too_large` for more
 * than `limits.eventBatchMax` events.
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
 * Parses JSON. Of duplicate members the last one counts, as in JavaScript. Throws `bad_request` for bytes that are not
 * UTF-8: a decoder would replace them, so that two ids could become equal. Throws `request_too_large`.
 */
export function jsonOfBody(body: Uint8Array): unknown {
  if (!isUtf8(body)) throw new TonnageError('bad_request', 'body: expected JSON in UTF-8, got other bytes');
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  checkComplexity(bytes);
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return value;
  } catch (thrown) {
    throw new TonnageError('bad_request', `body: expected JSON: ${messageOf(thrown).slice(0, 200)}`);
  }
}

/**
 * Throws `request_too_large` for a body with far more objects, lists or members than events have. Parsing millions of
 * empty or nested lists would block the event loop for a second.
 */
function checkComplexity(body: Buffer): void {
  if (body.length <= limits.eventBodyUncountedBytesMax) return;
  const { eventBodyNodesMax: nodesMax, eventBodyMembersMax: membersMax } = limits;
  if (hasMoreThan(nodesMax, body, '{') || hasMoreThan(nodesMax, body, '[')) {
    throw new TonnageError('request_too_large', `body: expected at most ${nodesMax} objects and lists, got more`);
  }
  if (hasMoreThan(membersMax, body, ',')) {
    throw new TonnageError('request_too_large', `body: expected at most ${membersMax} members and items, got more`);
  }
}
