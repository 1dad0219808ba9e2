import { formatDay, parseWaveField } from '../../usage/index.ts';

/** The names under which one meter has been counted. */
interface MeterNames {
  readonly orgs: ReadonlySet<string>;
  readonly archs: ReadonlySet<string>;
  /** As `YYYY-MM-DD`. */
  readonly days: ReadonlySet<string>;
}

/** What the fields of one slice of Wave's hash name. */
export interface SliceNames {
  readonly meters: ReadonlyMap<string, MeterNames>;
  /** Fields that are none of Wave's, or that cannot be told apart. */
  readonly skipped: readonly string[];
}

/** Reads the names out of fields of Wave's hash. */
export function namesOf(fields: Iterable<string>): SliceNames {
  const meters = new Map<string, { orgs: Set<string>; archs: Set<string>; days: Set<string> }>();
  const skipped: string[] = [];
  for (const field of fields) {
    const parsed = parseWaveField(field);
    if (!parsed) {
      skipped.push(field);
      continue;
    }
    let names = meters.get(parsed.meter);
    if (!names) meters.set(parsed.meter, (names = { orgs: new Set(), archs: new Set(), days: new Set() }));
    if (parsed.org !== undefined) names.orgs.add(parsed.org);
    if (parsed.arch !== undefined) names.archs.add(parsed.arch);
    if (parsed.day !== undefined) names.days.add(formatDay(parsed.day));
  }
  return { meters, skipped };
}
