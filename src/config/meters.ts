/** Meters that every ledger has; the same names as in `usage/`. */
export const builtInMeterNames = ['pulls', 'fusion', 'builds', 'mirrors', 'scans', 'egress_bytes'] as const;

/** The name of a meter, as errors and docs describe it. */
export const meterNameForm = `the name of a meter of your own, such as "build_seconds" (1 to 64 lower-case letters, digits and "_", a letter first; not ${builtInMeterNames.map((name) => JSON.stringify(name)).join(', ')})`;

/** The name itself if a meter of the configuration can have it, otherwise `undefined`. */
export function parseMeterName(text: string): string | undefined {
  const taken = builtInMeterNames.some((name) => name === text);
  return /^[a-z][a-z0-9_]{0,63}$/.test(text) && !taken ? text : undefined;
}

/** An event type, as errors and docs describe it. */
export const eventTypeForm =
  'an event type of your own, such as "org.example.build.done" (1 to 255 printable characters without spaces; not beginning with "tonnage.")';

/** The event type itself if a meter of the configuration can have it, otherwise `undefined`. */
export function parseEventType(text: string): string | undefined {
  return /^[!-~]{1,255}$/.test(text) && !text.startsWith('tonnage.') ? text : undefined;
}

/** Members of an event's `data` with another meaning. The dimensions are those of `usage/`. */
const otherMembers: ReadonlySet<string> = new Set([
  'org',
  'arch',
  'upstream',
  'repository',
  'tag',
  'outcome',
  'user',
  'client',
  'email',
]);

/** The name of the member with the quantity, as errors and docs describe it. */
export const memberForm =
  'the name of a member such as "seconds" (1 to 64 letters, digits and "_", a letter first; neither email nor a dimension)';

/** The name of the member itself if it can have the quantity, otherwise `undefined`. */
export function parseMember(text: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(text) && !otherMembers.has(text) ? text : undefined;
}

/** A unit, as errors and docs describe it. */
export const unitForm =
  'a unit as UCUM writes it, such as "1", "s" or "By" (1 to 32 printable characters without spaces)';

/** The unit itself, otherwise `undefined`. */
export function parseUnit(text: string): string | undefined {
  return /^[!-~]{1,32}$/.test(text) ? text : undefined;
}
