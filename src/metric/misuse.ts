/**
 * Refuses a wrong use of the metric API: a programmer's error, thrown where the wrong call stands. `subject` names the
 * family (`counter jobs_done`), `problem` says what was expected and what came. Called only once something is wrong, so
 * that a right call builds no message.
 */
export function misuse(subject: string, problem: string): never {
  throw new Error(`BUG: ${subject}: ${problem}`);
}

/** Shows a value in a message: strings quoted and cut, so that a label value from outside cannot flood a log. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') return typeof value === 'bigint' ? `${value}n` : String(value);
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
}
