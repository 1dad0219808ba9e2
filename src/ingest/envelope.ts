import { limits } from '../base/index.ts';
import { isJsonObject, type JsonObject } from '../oci/index.ts';
import { hasMoreThan } from './count-signs.ts';
import { Refusal, shown } from './refusal.ts';
import { isPlainText } from './text.ts';

/** What an event says of itself, apart from its `data`. */
export interface Envelope {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  /** As it was sent. */
  readonly time: unknown;
  /** Absent members and `null` are an empty object. */
  readonly data: JsonObject;
}

/** Members of `data` that are easily put beside it instead, where they would be attributes that nobody reads. */
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

/** What most events have: known without a closer look. */
const ordinaryMembers: ReadonlySet<string> = new Set(['specversion', 'type', 'source', 'id', 'time', 'data']);

/** Names of attributes (CloudEvents 1.0.2, "Naming Conventions"). */
const attributePattern = /^[a-z0-9]+$/;
const jsonTypePattern = /^[\w.!#$&^+-]+\/(?:[\w.!#$&^+-]+\+)?json$/i;

const noData: JsonObject = Object.freeze({});

/**
 * Reads the attributes of an event in the JSON event format (CloudEvents 1.0.2). An attribute that is `null` is absent;
 * extension attributes are allowed and not looked at.
 */
export function readEnvelope(event: unknown): Envelope | Refusal {
  if (!isJsonObject(event)) return invalid(`expected an event, which is an object, got ${shown(event)}`);
  const misnamed = misnamedMember(event);
  if (misnamed !== undefined) return misnamed;
  if (event['specversion'] !== '1.0') {
    return invalid(`specversion: expected "1.0", got ${came(event['specversion'])}`);
  }
  const source = readText('source', event['source'], limits.eventSourceLengthMax);
  if (source instanceof Refusal) return source;
  const id = readText('id', event['id'], limits.eventIdLengthMax);
  if (id instanceof Refusal) return id;
  const type = event['type'];
  if (typeof type !== 'string' || type === '') {
    return invalid(`type: expected the type of an event, got ${came(type)}`);
  }
  const data = readData(event);
  if (data instanceof Refusal) return data;
  return { type, source, id, time: event['time'], data };
}

/** `null` says the same as nothing (JSON event format 1.0.2, section 2.2). */
function came(attribute: unknown): string {
  return shown(attribute ?? undefined);
}

function invalid(message: string): Refusal {
  return new Refusal('invalid_event', message);
}

/** A member that can be no attribute, most often a misspelt one, or that belongs into `data` where there is none. */
function misnamedMember(event: JsonObject): Refusal | undefined {
  for (const name of Object.keys(event)) {
    if (ordinaryMembers.has(name) || name === 'data_base64') continue;
    if (!attributePattern.test(name)) {
      return invalid(`${shown(name)}: expected attributes named in lower-case letters and digits`);
    }
    if (membersOfData.has(name) && !('data' in event) && !('data_base64' in event)) {
      return invalid(`${name}: expected it as a member of data, and there is no data`);
    }
  }
  return undefined;
}

/** Half of an event's identity. */
export function readText(name: string, value: unknown, lengthMax: number): string | Refusal {
  if (typeof value === 'string' && value.length > 0 && value.length <= lengthMax && isPlainText(value)) return value;
  return invalid(
    `${name}: expected a text of 1 to ${lengthMax} characters, without control characters, got ${came(value)}`,
  );
}

function readData(event: JsonObject): JsonObject | Refusal {
  const type = event['datacontenttype'] ?? undefined;
  if (type !== undefined && type !== 'application/json' && !isJsonType(type)) {
    return invalid(`datacontenttype: expected application/json, got ${shown(type)}`);
  }
  const encoded = event['data_base64'] ?? undefined;
  const data = event['data'] ?? undefined;
  if (encoded !== undefined && data !== undefined) return invalid('data_base64: expected data alone, got both');
  const value = encoded === undefined ? data : decodeJson(encoded);
  if (value instanceof Refusal) return value;
  if (value === undefined) return noData;
  return isJsonObject(value) ? value : invalid(`data: expected an object, got ${shown(value)}`);
}

/** Whether a media type, its parameters aside, is JSON (JSON event format 1.0.2, section 3.1.1). */
function isJsonType(type: unknown): boolean {
  return typeof type === 'string' && jsonTypePattern.test(type.split(';', 1)[0]?.trim() ?? '');
}

/**
 * `data_base64` that stands for JSON; anything else in it is nothing that could be counted. Whoever has looked at the size
 * of the body has not seen what is in here: as there, what takes long to parse is not parsed.
 */
function decodeJson(encoded: unknown): unknown {
  const refusal = invalid('data_base64: expected JSON in UTF-8, written in base64; data holds it as it is');
  if (typeof encoded !== 'string') return refusal;
  const bytes = Buffer.from(encoded, 'base64');
  // The decoder passes over what is no base64. A pattern would not do here: on a long text it runs out of stack.
  if (bytes.toString('base64') !== encoded) return refusal;
  const most = limits.eventEncodedNodesMax;
  if (['{', '[', ','].some((sign) => hasMoreThan(most, bytes, sign))) {
    return invalid(`data_base64: expected at most ${most} objects, lists and members each, got more`);
  }
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value ?? undefined;
  } catch {
    return refusal;
  }
}
