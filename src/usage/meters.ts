import { assert } from '../base/index.ts';

/** A named usage quantity, and the CloudEvents type of the events that count for it. */
export interface Meter {
  readonly name: string;
  /** Absent: nobody outside sends events of it. */
  readonly eventType?: string;
  /** What its quantities are, as UCUM writes it: `1` for plain events, `s` for seconds, `By` for bytes. */
  readonly unit: string;
  /** Member of an event's `data` that holds its quantity. */
  readonly quantity: string;
  /** For people who choose among meters. */
  readonly description?: string;
}

/** A meter that the configuration adds to those that are always there. */
export type ConfiguredMeter = Meter & Required<Pick<Meter, 'eventType'>>;

/** All meters of one server: closed, since a misspelt name must not begin a meter of its own. */
export interface MeterSet {
  /** By name, the built-in ones first. */
  readonly byName: ReadonlyMap<string, Meter>;
  /** By the type of their events. One type belongs to one meter. */
  readonly byEventType: ReadonlyMap<string, Meter>;
}

/** Type of the event that takes another one back. It belongs to no meter. */
export const voidEventType = 'tonnage.void';

const builtIn: readonly Meter[] = [
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

function meter(name: string, eventType: string, description: string): Meter {
  return Object.freeze({ name, eventType, unit: '1', quantity: 'quantity', description });
}

/**
 * The built-in meters and those of the configuration. That no name and no event type is taken twice is for the
 * configuration to check; here it is a defect.
 */
export function meterSet(configured: readonly ConfiguredMeter[] = []): MeterSet {
  const byName = new Map<string, Meter>();
  const byEventType = new Map<string, Meter>();
  for (const each of [...builtIn, ...configured]) {
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
