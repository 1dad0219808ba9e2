import { assert, limits } from '../base/index.ts';

/** A named usage quantity, and the CloudEvents type of the events that count for it. */
export interface Meter {
  readonly name: string;
  /** Absent: nobody outside sends events of it. */
  readonly eventType?: string;
  /** What its quantities are, as UCUM writes it: `1` for plain events, `s` for seconds, `By` for bytes. */
  readonly unit: string;
  /** Member of an event's `data` that holds its quantity. */
  readonly quantity: string;
  /** Largest quantity of one event. */
  readonly quantityMax: number;
  /** For people who choose among meters. */
  readonly description?: string;
}

/** A meter that the configuration adds to those that are always there. Its unit decides on `quantityMax`. */
export type ConfiguredMeter = Omit<Meter, 'quantityMax'> & Required<Pick<Meter, 'eventType'>>;

/** Largest quantity of one event by unit. `1` also holds for units that are not named. */
export type QuantityMax = Readonly<Record<string, number>> & { readonly '1': number };

export const defaultQuantityMax: QuantityMax = {
  '1': limits.eventQuantityMax,
  By: limits.eventQuantityBytesMax,
  s: limits.eventQuantitySecondsMax,
};

/** How much of a meter one organisation may have on one day. */
export function dayQuantityMax({ quantityMax }: Pick<Meter, 'quantityMax'>): number {
  return Math.min(quantityMax * limits.largestQuantitiesPerDayMax, Number.MAX_SAFE_INTEGER);
}

/** All meters of one server: closed, since a misspelt name must not begin a meter of its own. */
export interface MeterSet {
  /** By name, the built-in ones first. */
  readonly byName: ReadonlyMap<string, Meter>;
  /** By the type of their events. One type belongs to one meter. */
  readonly byEventType: ReadonlyMap<string, Meter>;
}

/** Type of the event that takes another one back. It belongs to no meter. */
export const voidEventType = 'tonnage.void';

const builtIn: readonly Omit<Meter, 'quantityMax'>[] = [
  meter('pulls', 'tonnage.pull', 'Image manifests that clients got.'),
  meter('fusion', 'tonnage.fusion', 'Pulls of images that start with Fusion.'),
  meter('builds', 'tonnage.build', 'Image builds that were launched.'),
  meter('mirrors', 'tonnage.mirror', 'Copies of images to another place that were launched.'),
  meter('scans', 'tonnage.scan', 'Security scans of images that were launched.'),
  Object.freeze({
    name: 'egress_bytes',
    unit: 'By',
    quantity: 'quantity',
    description: 'Bytes of manifests and blobs that were sent to clients.',
  }),
];

function meter(name: string, eventType: string, description: string): ConfiguredMeter {
  return Object.freeze({ name, eventType, unit: '1', quantity: 'quantity', description });
}

/**
 * The built-in meters and those of the configuration. That no name and no event type is taken twice is for the
 * configuration to check; here it is a defect.
 */
export function meterSet(
  configured: readonly ConfiguredMeter[] = [],
  quantityMax: QuantityMax = defaultQuantityMax,
): MeterSet {
  const byName = new Map<string, Meter>();
  const byEventType = new Map<string, Meter>();
  for (const meterOf of [...builtIn, ...configured]) {
    const each = { ...meterOf, quantityMax: quantityMax[meterOf.unit] ?? quantityMax['1'] };
    assert(!byName.has(each.name), `a meter's name is its own, got ${each.name} twice`);
    byName.set(each.name, each);
    if (each.eventType === undefined) continue;
    assert(
      !byEventType.has(each.eventType) && each.eventType !== voidEventType,
      `a meter's event type is its own, got ${each.eventType} twice`,
    );
    byEventType.set(each.eventType, each);
  }
  return { byName, byEventType };
}
