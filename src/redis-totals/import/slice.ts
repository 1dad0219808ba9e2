import { formatDay, parseWaveField } from '../../usage/index.ts';

/** The names in the fields of one meter. */
interface MeterNames {
  readonly orgs: ReadonlySet<string>;
  readonly archs: ReadonlySet<string>;
  /** As `YYYY-MM-DD`. */
  readonly days: ReadonlySet<string>;
}

/** The names in one slice of Wave's hash. */
export interface SliceNames {
  readonly meters: ReadonlyMap<string, MeterNames>;
  /** Fields that are not Wave's, or that are ambiguous. */
  readonly skipped: readonly string[];
}

/** Parses the names in fields of Wave's hash. */
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
