/**
 * Throws an error for a wrong use of the metric API, which is a bug in the caller. `subject` names the family
 * (`counter jobs_done`); `problem` says what was expected and what came.
 */
export function misuse(subject: string, problem: string): never {
  throw new Error(`BUG: ${subject}: ${problem}`);
}

/** A value for an error message. Strings are quoted and truncated, so a label value from outside cannot flood a log. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') return typeof value === 'bigint' ? `${value}n` : String(value);
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
}
