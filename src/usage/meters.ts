import { assert, limits } from '../base/index.ts';

/** A named usage quantity, and the CloudEvents type of the events that count for it. */
export interface Meter {
  readonly name: string;
  /** Absent: the meter has no events from outside. */
  readonly eventType?: string;
  /** UCUM unit of its quantities: `1` for plain events, `s` for seconds, `By` for bytes. */
  readonly unit: string;
  /** Member of an event's `data` that holds its quantity. */
  readonly quantity: string;
  /** Largest quantity of one event. */
  readonly quantityMax: number;
  /** One sentence for users. */
  readonly description?: string;
}

/** A meter from the configuration. Its unit determines `quantityMax`. */
export type ConfiguredMeter = Omit<Meter, 'quantityMax'> & Required<Pick<Meter, 'eventType'>>;

/** Largest quantity of one event by unit. `1` also applies to all other units. */
type QuantityMax = Readonly<Record<string, number>> & { readonly '1': number };

const defaultQuantityMax: QuantityMax = {
  '1': limits.eventQuantityMax,
  By: limits.eventQuantityBytesMax,
  s: limits.eventQuantitySecondsMax,
};

/** The largest quantity of a meter for one organisation on one day. */
export function dayQuantityMax({ quantityMax }: Pick<Meter, 'quantityMax'>): number {
  return Math.min(quantityMax * limits.largestQuantitiesPerDayMax, Number.MAX_SAFE_INTEGER);
}

/** All meters of one server. A misspelt name does not create a meter. */
export interface MeterSet {
  /** By name; built-in meters come first. */
  readonly byName: ReadonlyMap<string, Meter>;
  /** By event type. Each type belongs to one meter. */
  readonly byEventType: ReadonlyMap<string, Meter>;
}

/** The event type of a void. It belongs to no meter. */
export const voidEventType = 'tonnage.void';

const builtIn: readonly Omit<Meter, 'quantityMax'>[] = [
  meter('pulls', 'tonnage.pull', 'Image manifests that clients pulled.'),
  meter('fusion', 'tonnage.fusion', 'Pulls of images that start with Fusion.'),
  meter('builds', 'tonnage.build', 'Launched image builds.'),
  meter('mirrors', 'tonnage.mirror', 'Launched copies of images to another place.'),
  meter('scans', 'tonnage.scan', 'Launched security scans of images.'),
  Object.freeze({
    name: 'egress_bytes',
    unit: 'By',
    quantity: 'quantity',
    description: 'Bytes of manifests and blobs sent to clients.',
  }),
];

function meter(name: string, eventType: string, description: string): ConfiguredMeter {
  return Object.freeze({ name, eventType, unit: '1', quantity: 'quantity', description });
}

/** The built-in meters and those of the configuration, which has checked that names and event types are unique. */
export function meterSet(
  configured: readonly ConfiguredMeter[] = [],
  quantityMax: QuantityMax = defaultQuantityMax,
): MeterSet {
  const byName = new Map<string, Meter>();
  const byEventType = new Map<string, Meter>();
  for (const meterOf of [...builtIn, ...configured]) {
    const each = { ...meterOf, quantityMax: quantityMax[meterOf.unit] ?? quantityMax['1'] };
    assert(!byName.has(each.name), `expected unique names of meters, got ${each.name} twice`);
    byName.set(each.name, each);
    if (each.eventType === undefined) continue;
    assert(
      !byEventType.has(each.eventType) && each.eventType !== voidEventType,
      `expected unique event types of meters, got ${each.eventType} twice`,
    );
    byEventType.set(each.eventType, each);
  }
  return { byName, byEventType };
}
