import { limits } from '../base/index.ts';
import {
  isDimension,
  voidEventType,
  type Dimension,
  type EventIdentity,
  type LedgerEvent,
  type Meter,
  type MeterSet,
} from '../usage/index.ts';
import { DimensionReader, readEmail, readOrganisation } from './dimension-rules.ts';
import { readEnvelope, readText, type Envelope } from './envelope.ts';
import { Refusal, shown } from './refusal.ts';
import type { Sender } from './sender.ts';
import { parseTimestamp } from './timestamp.ts';

interface EventReaderOptions {
  readonly meters: MeterSet;
  readonly sender: Sender;
  /** Arrival of the request in milliseconds since the Unix epoch: the time of events without `time`. */
  readonly now: number;
}

/** Validates one event of the JSON event format. Never throws. */
export type EventReader = (event: unknown) => LedgerEvent | Refusal;

type Values = { -readonly [D in Dimension]?: string };

/** The validated `data` of a usage event. */
interface Usage {
  readonly dimensions: Values;
  readonly quantity: bigint;
}

/** The quantity of most events. */
const one = 1n;

/** Creates a reader for the events of one request. */
export function createEventReader({ meters, sender, now }: EventReaderOptions): EventReader {
  const { tenant } = sender;
  /** The organisation that all events must have. Absent: any. */
  const bound = sender.admin ? undefined : tenant;
  const reader = new DimensionReader();

  return (event) => {
    const envelope = readEnvelope(event);
    if (envelope instanceof Refusal) return envelope;
    const { type, source, id } = envelope;
    const meter = meters.byEventType.get(type);
    if (meter === undefined && type !== voidEventType) {
      return unknownType(type);
    }
    const time = readTime(envelope, now);
    if (time instanceof Refusal) return time;
    if (meter === undefined) {
      const target = readTarget(envelope, sender);
      if (target instanceof Refusal) return target;
      return { kind: 'void', ...(tenant !== undefined && { tenant }), source, id, time, target };
    }
    const usage = readUsage(envelope, meter, bound, reader);
    if (usage instanceof Refusal) return usage;
    return tenant === undefined
      ? { kind: 'usage', source, id, meter: meter.name, time, ...usage }
      : { kind: 'usage', tenant, source, id, meter: meter.name, time, ...usage };
  };
}

/** Does not list all types: there may be many, and one request may have ten thousand such events. */
function unknownType(type: string): Refusal {
  return new Refusal(
    'unknown_type',
    `type: expected ${voidEventType} or an event type of a meter (see /api/v1/meters), got ${shown(type)}`,
  );
}

function readTime({ time }: Envelope, now: number): number | Refusal {
  if (time === undefined || time === null) return now;
  const ms = typeof time === 'string' ? parseTimestamp(time) : undefined;
  return (
    ms ??
    new Refusal(
      'invalid_time',
      `time: expected an RFC 3339 time with its offset, such as "2026-11-21T12:00:00Z", got ${shown(time)}`,
    )
  );
}

function readUsage(
  { data }: Envelope,
  meter: Meter,
  bound: string | undefined,
  reader: DimensionReader,
): Usage | Refusal {
  const dimensions: Values = {};
  let quantity: bigint | undefined;
  let emailOrganisation: string | undefined;
  for (const member of Object.keys(data)) {
    const value = data[member];
    if (member === meter.quantity) {
      const read = readQuantity(member, value, meter);
      if (read instanceof Refusal) return read;
      quantity = read;
    } else if (member === 'email') {
      const read = readEmail(value);
      if (read instanceof Refusal) return read;
      emailOrganisation = read;
    } else if (isDimension(member)) {
      const read = reader.read(member, value);
      if (read instanceof Refusal) return read;
      if (read !== undefined) dimensions[member] = read;
    } else {
      return unknownMember(member, meter);
    }
  }
  if (quantity === undefined && meter.unit !== '1') return missingQuantity(meter);
  const org = agreedOrganisation(dimensions.org, emailOrganisation, bound);
  if (org instanceof Refusal) return org;
  if (org !== undefined) dimensions.org = org;
  return { dimensions, quantity: quantity ?? one };
}

/** Validates a positive integer. `1.0` and `1e3` are integers too. */
function readQuantity(member: string, value: unknown, { unit, quantityMax }: Meter): bigint | Refusal {
  if (value === 1) return one;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= quantityMax) {
    return BigInt(value);
  }
  return new Refusal(
    'invalid_quantity',
    `data.${member}: expected a whole number from 1 to ${quantityMax} (usage.quantityMax, unit ${unit}), got ${shown(value)}`,
  );
}

/** The quantity defaults to 1 only for plain events, not for seconds or bytes. */
function missingQuantity({ name, quantity, unit }: Meter): Refusal {
  return new Refusal(
    'invalid_quantity',
    `data.${quantity}: expected a quantity, because ${name} counts ${unit}, got nothing`,
  );
}

function unknownMember(member: string, { name, quantity }: Meter): Refusal {
  const message = `data: expected dimensions, email and ${quantity} as members for ${name}, got ${shown(member)}`;
  return new Refusal('unknown_member', message);
}

/** The organisation of an event: the stated one (`org` or `email`), or that of the sender. They must agree. */
function agreedOrganisation(
  org: string | undefined,
  ofEmail: string | undefined,
  bound: string | undefined,
): string | undefined | Refusal {
  if (org !== undefined && ofEmail !== undefined && org !== ofEmail) {
    const message = `data.email: expected the organisation of data.org, ${shown(org)}, got ${shown(ofEmail)}`;
    return new Refusal('invalid_dimension', message);
  }
  const stated = org ?? ofEmail;
  if (bound === undefined || stated === undefined || stated === bound) return stated ?? bound;
  const member = org === undefined ? 'email' : 'org';
  const message = `data.${member}: expected ${shown(bound)}, the organisation of these credentials, got ${shown(stated)}`;
  return new Refusal('not_your_organisation', message);
}

/** The identity of the event to void. Only an admin may void events of other tenants. */
function readTarget({ data }: Envelope, { tenant, admin }: Sender): EventIdentity | Refusal {
  for (const member of Object.keys(data)) {
    if (member === 'source' || member === 'id' || member === 'tenant') continue;
    const message = `data: expected source and id of the event to void, got ${shown(member)} too`;
    return new Refusal('unknown_member', message);
  }
  const source = readText('data.source', data['source'], limits.eventSourceLengthMax);
  if (source instanceof Refusal) return source;
  const id = readText('data.id', data['id'], limits.eventIdLengthMax);
  if (id instanceof Refusal) return id;
  const owner = readOwner(data['tenant'], tenant, admin);
  if (owner instanceof Refusal) return owner;
  return { ...(owner !== undefined && { tenant: owner }), source, id };
}

/** The tenant of the event to void. `null`: none; absent: the sender's own. */
function readOwner(stated: unknown, own: string | undefined, admin: boolean): string | undefined | Refusal {
  if (stated === undefined) return own;
  const owner = stated === null ? undefined : readOrganisation('tenant', stated);
  if (owner instanceof Refusal || owner === own || admin) return owner;
  const message = `data.tenant: expected ${own === undefined ? 'none' : shown(own)}, because these credentials do not have the right admin, got ${shown(stated)}`;
  return new Refusal('not_your_organisation', message);
}
