import { formatDay, parseDay, type Day } from './day.ts';

/** Wave's meters. Only their counts are in Wave's hash. */
export const waveMeters: readonly string[] = ['builds', 'pulls', 'fusion', 'mirrors', 'scans'];

/** The meaning of one field of Wave's hash: a meter, with any of organisation, architecture and day. */
export interface WaveField {
  readonly meter: string;
  readonly day?: Day;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * The name of a field: `<meter>[/o/<org>][/a/<arch>][/d/<YYYY-MM-DD>]`, in this order. `undefined` for a
 * meter alone, which Wave never writes (its `MetricsServiceImpl.getKey`).
 */
export function waveFieldName({ meter, day, org, arch }: WaveField): string | undefined {
  if (day === undefined && org === undefined && arch === undefined) return undefined;
  const ofOrganisation = org === undefined ? '' : `/o/${org}`;
  const ofArchitecture = arch === undefined ? '' : `/a/${arch}`;
  return `${meter}${ofOrganisation}${ofArchitecture}${day === undefined ? '' : `/d/${formatDay(day)}`}`;
}

/**
 * The fields that one event increments, in Wave's order. An anonymous event without architecture has one field; with an
 * organisation or an architecture it has three, and with both seven.
 */
export function waveFieldsOf(event: WaveField & { readonly day: Day }): readonly string[] {
  const { meter, day, org, arch } = event;
  const date = `/d/${formatDay(day)}`;
  const fields = [`${meter}${date}`];
  if (arch !== undefined) fields.push(`${meter}/a/${arch}${date}`, `${meter}/a/${arch}`);
  if (org === undefined) return fields;
  const ofOrganisation = `${meter}/o/${org}`;
  fields.push(ofOrganisation, `${ofOrganisation}${date}`);
  if (arch !== undefined) fields.push(`${ofOrganisation}/a/${arch}`, `${ofOrganisation}/a/${arch}${date}`);
  return fields;
}

/** A field's name with `*` instead of the organisation. */
export function fieldOfEveryOrganisation(name: string): string {
  return name.replace(/\/o\/[^/]*/, '/o/*');
}

/** `meter`, `/o/` organisation, `/a/` architecture, `/d/` day. All parts except the first are optional. */
const fieldPattern = new RegExp(
  `^(${waveMeters.join('|')})(?:/o/([^/]+))?(?:/a/([^/]+))?(?:/d/(\\d{4}-\\d{2}-\\d{2}))?$`,
);

/**
 * Parses a field's name. `undefined` for names that Wave does not write or that are ambiguous: a meter alone, an
 * organisation with a slash, a day that does not exist.
 */
export function parseWaveField(name: string): WaveField | undefined {
  const [, meter, org, arch, date] = fieldPattern.exec(name) ?? [];
  if (meter === undefined || name === meter) return undefined;
  const day = date === undefined ? undefined : parseDay(date);
  if (date !== undefined && day === undefined) return undefined;
  return {
    meter,
    ...(org !== undefined && { org }),
    ...(arch !== undefined && { arch }),
    ...(day !== undefined && { day }),
  };
}
