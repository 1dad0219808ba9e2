import { parseQualities } from '../qualities.ts';

/** A client's preference for one media type. */
interface Preference {
  /** From 0 (not acceptable) to 1. */
  readonly quality: number;
  /** Position in the header; `undefined` if only a range such as `text/*` covers the type, or nothing does. */
  readonly position: number | undefined;
}

/**
 * Whether an `Accept` header prefers CSV to JSON (RFC 9110, section 12.5.1): CSV has the higher quality, or both have
 * the same and the header names only CSV, or CSV first. False in any other case, also if neither is acceptable.
 */
export function acceptsCsvFirst(header: string | undefined): boolean {
  const qualities = parseQualities(header ?? '');
  const csv = preferenceOf(qualities, 'text', 'csv');
  const json = preferenceOf(qualities, 'application', 'json');
  if (csv.quality !== json.quality) return csv.quality > json.quality;
  return csv.quality > 0 && csv.position !== undefined && csv.position < (json.position ?? Infinity);
}

function preferenceOf(qualities: ReadonlyMap<string, number>, type: string, subtype: string): Preference {
  const exact = `${type}/${subtype}`;
  const position = qualities.has(exact) ? [...qualities.keys()].indexOf(exact) : undefined;
  return { quality: qualities.get(exact) ?? qualities.get(`${type}/*`) ?? qualities.get('*/*') ?? 0, position };
}
