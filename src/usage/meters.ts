/** A named usage quantity, and the CloudEvents type of the events that count for it. */
export interface Meter {
  readonly name: string;
  readonly eventType: string;
  /** What its quantities are; `1` for plain events, as in UCUM. */
  readonly unit: string;
}

/** The meters that are always there, by name: Wave's five (facts: its `MetricsConstants`). */
export const builtInMeters: ReadonlyMap<string, Meter> = new Map(
  [
    { name: 'pulls', eventType: 'tonnage.pull', unit: '1' },
    { name: 'fusion', eventType: 'tonnage.fusion', unit: '1' },
    { name: 'builds', eventType: 'tonnage.build', unit: '1' },
    { name: 'mirrors', eventType: 'tonnage.mirror', unit: '1' },
    { name: 'scans', eventType: 'tonnage.scan', unit: '1' },
  ].map((meter) => [meter.name, Object.freeze(meter)]),
);
