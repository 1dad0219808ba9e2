import { formatDay, parseDay, type Day } from './day.ts';

/** The meters that Wave has, whose counts go into its hash. */
export const waveMeters: readonly string[] = ['builds', 'pulls', 'fusion', 'mirrors', 'scans'];

/** What one field of Wave's hash counts: a meter, cut by any of organisation, architecture and day. */
export interface WaveField {
  readonly meter: string;
  readonly day?: Day;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * The name of a field: `<meter>[/o/<org>][/a/<arch>][/d/<YYYY-MM-DD>]`, always in that order; `undefined` for the bare
 * meter, which Wave never writes (its `MetricsServiceImpl.getKey`).
 */
export function waveFieldName({ meter, day, org, arch }: WaveField): string | undefined {
  if (day === undefined && org === undefined && arch === undefined) return undefined;
  const ofOrganisation = org === undefined ? '' : `/o/${org}`;
  const ofArchitecture = arch === undefined ? '' : `/a/${arch}`;
  return `${meter}${ofOrganisation}${ofArchitecture}${day === undefined ? '' : `/d/${formatDay(day)}`}`;
}

/**
 * The fields that one event raises, in the order in which Wave raises them: the day first, the organisation's after it.
 * One for an anonymous event without architecture, three with either, seven with both.
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

/** A field's name with `*` in the place of the organisation. */
export function fieldOfEveryOrganisation(name: string): string {
  return name.replace(/\/o\/[^/]*/, '/o/*');
}

/** `meter`, `/o/` organisation, `/a/` architecture, `/d/` day: each part but the first may be absent. */
const fieldPattern = new RegExp(
  `^(${waveMeters.join('|')})(?:/o/([^/]+))?(?:/a/([^/]+))?(?:/d/(\\d{4}-\\d{2}-\\d{2}))?$`,
);

/**
 * Reads a field's name. `undefined` for what Wave does not write or cannot tell apart itself: a bare meter, an
 * organisation with a slash in it, a day that is not in the calendar.
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
