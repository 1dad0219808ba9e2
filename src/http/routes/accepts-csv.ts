/** What an `Accept` header says of one media type. */
interface Preference {
  /** From 0 (not acceptable) to 1. */
  readonly quality: number;
  /** Where it is named itself; `undefined` when a range such as `text/*` stands for it, or nothing does. */
  readonly place: number | undefined;
}

/**
 * Whether an `Accept` header asks for CSV rather than JSON (RFC 9110, section 12.5.1): where it likes CSV better, or both
 * equally and names CSV alone, or first. JSON in any other case, also when neither is acceptable.
 */
export function acceptsCsvFirst(header: string | undefined): boolean {
  const qualities = qualitiesOf(header ?? '');
  const csv = preferenceOf(qualities, 'text', 'csv');
  const json = preferenceOf(qualities, 'application', 'json');
  if (csv.quality !== json.quality) return csv.quality > json.quality;
  return csv.quality > 0 && csv.place !== undefined && csv.place < (json.place ?? Infinity);
}

/** Media ranges with their qualities, in order. */
function qualitiesOf(header: string): ReadonlyMap<string, number> {
  const qualities = new Map<string, number>();
  for (const entry of header.toLowerCase().split(',')) {
    const [range = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? '1');
    if (range !== '' && !qualities.has(range)) qualities.set(range, quality >= 0 && quality <= 1 ? quality : 0);
  }
  return qualities;
}

function preferenceOf(qualities: ReadonlyMap<string, number>, type: string, subtype: string): Preference {
  const exact = `${type}/${subtype}`;
  const place = qualities.has(exact) ? [...qualities.keys()].indexOf(exact) : undefined;
  return { quality: qualities.get(exact) ?? qualities.get(`${type}/*`) ?? qualities.get('*/*') ?? 0, place };
}
