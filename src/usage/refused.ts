import { TonnageError } from '../base/index.ts';

/** The refusal of a parameter that cannot be understood. */
export function refused(parameter: string, expected: string, got: string | undefined): TonnageError {
  return new TonnageError('bad_request', `${parameter}: expected ${expected}, got ${quote(got)}`);
}

/** What came, shown so that it cannot break out of a log line or a terminal, and not at any length. */
export function quote(text: string | undefined): string {
  return JSON.stringify(text === undefined || text.length <= 80 ? text : `${text.slice(0, 80)}…`);
}
