import { limits } from '../base/index.ts';
import { isJsonObject, type JsonObject } from '../oci/index.ts';
import { hasMoreThan } from './count-characters.ts';
import { Refusal, shown } from './refusal.ts';
import { isPlainText } from './text.ts';

/** The attributes of an event, and its `data`. */
export interface Envelope {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  /** Not yet validated. */
  readonly time: unknown;
  /** An empty object if absent or `null`. */
  readonly data: JsonObject;
}

/** Members of `data` that senders may put next to it by mistake, where they would be ignored as extension attributes. */
const membersOfData: ReadonlySet<string> = new Set([
  'org',
  'email',
  'arch',
  'upstream',
  'repository',
  'tag',
  'outcome',
  'user',
  'client',
  'quantity',
]);

/** The members of most events, which need no further check. */
const ordinaryMembers: ReadonlySet<string> = new Set(['specversion', 'type', 'source', 'id', 'time', 'data']);

/** Names of attributes (CloudEvents 1.0.2, "Naming Conventions"). */
const attributePattern = /^[a-z0-9]+$/;
const jsonTypePattern = /^[\w.!#$&^+-]+\/(?:[\w.!#$&^+-]+\+)?json$/i;

const noData: JsonObject = Object.freeze({});

/**
 * Validates the attributes of an event in the JSON event format (CloudEvents 1.0.2). An attribute that is `null` counts
 * as absent. Extension attributes are ignored.
 */
export function readEnvelope(event: unknown): Envelope | Refusal {
  if (!isJsonObject(event)) return invalid(`expected an event (an object), got ${shown(event)}`);
  const misnamed = misnamedMember(event);
  if (misnamed !== undefined) return misnamed;
  if (event['specversion'] !== '1.0') {
    return invalid(`specversion: expected "1.0", got ${shownAttribute(event['specversion'])}`);
  }
  const source = readText('source', event['source'], limits.eventSourceLengthMax);
  if (source instanceof Refusal) return source;
  const id = readText('id', event['id'], limits.eventIdLengthMax);
  if (id instanceof Refusal) return id;
  const type = event['type'];
  if (typeof type !== 'string' || type === '') {
    return invalid(`type: expected an event type, got ${shownAttribute(type)}`);
  }
  const data = readData(event);
  if (data instanceof Refusal) return data;
  return { type, source, id, time: event['time'], data };
}

/** `null` means absent (JSON event format 1.0.2, section 2.2). */
function shownAttribute(attribute: unknown): string {
  return shown(attribute ?? undefined);
}

function invalid(message: string): Refusal {
  return new Refusal('invalid_event', message);
}

/** Rejects a member that cannot be an attribute, often a misspelt one, and a member of `data` if `data` is absent. */
function misnamedMember(event: JsonObject): Refusal | undefined {
  for (const name of Object.keys(event)) {
    if (ordinaryMembers.has(name) || name === 'data_base64') continue;
    if (!attributePattern.test(name)) {
      return invalid(`${shown(name)}: expected attributes named in lower-case letters and digits`);
    }
    if (membersOfData.has(name) && !('data' in event) && !('data_base64' in event)) {
      return invalid(`${name}: expected it as a member of data, but data is absent`);
    }
  }
  return undefined;
}

/** Validates `source` or `id`. */
export function readText(name: string, value: unknown, lengthMax: number): string | Refusal {
  if (typeof value === 'string' && value.length > 0 && value.length <= lengthMax && isPlainText(value)) return value;
  return invalid(
    `${name}: expected a text of 1 to ${lengthMax} characters, without control characters, got ${shownAttribute(value)}`,
  );
}

function readData(event: JsonObject): JsonObject | Refusal {
  const type = event['datacontenttype'] ?? undefined;
  if (type !== undefined && type !== 'application/json' && !isJsonType(type)) {
    return invalid(`datacontenttype: expected application/json, got ${shown(type)}`);
  }
  const encoded = event['data_base64'] ?? undefined;
  const data = event['data'] ?? undefined;
  if (encoded !== undefined && data !== undefined)
    return invalid('data_base64: expected either data or data_base64, got both');
  const value = encoded === undefined ? data : decodeJson(encoded);
  if (value instanceof Refusal) return value;
  if (value === undefined) return noData;
  return isJsonObject(value) ? value : invalid(`data: expected an object, got ${shown(value)}`);
}

/** Whether a media type, without its parameters, is JSON (JSON event format 1.0.2, section 3.1.1). */
function isJsonType(type: unknown): boolean {
  return typeof type === 'string' && jsonTypePattern.test(type.split(';', 1)[0]?.trim() ?? '');
}

/**
 * Decodes JSON in `data_base64`. The limits of the body do not see encoded JSON, so this rejects JSON that would take long to parse.
 */
function decodeJson(encoded: unknown): unknown {
  const refusal = invalid('data_base64: expected base64 of JSON in UTF-8; use data for plain JSON');
  if (typeof encoded !== 'string') return refusal;
  const bytes = Buffer.from(encoded, 'base64');
  // The decoder skips invalid characters. A regular expression would overflow the stack on a long text.
  if (bytes.toString('base64') !== encoded) return refusal;
  const max = limits.eventEncodedNodesMax;
  if (['{', '[', ','].some((character) => hasMoreThan(max, bytes, character))) {
    return invalid(`data_base64: expected at most ${max} objects, lists and members each, got more`);
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value ?? undefined;
  } catch {
    return refusal;
  }
}
