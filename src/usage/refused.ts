import { TonnageError } from '../base/index.ts';

/** The error `bad_request` for an invalid parameter. */
export function refused(parameter: string, expected: string, got: string | undefined): TonnageError {
  return new TonnageError('bad_request', `${parameter}: expected ${expected}, got ${quote(got)}`);
}

/** Quotes and truncates text from outside, so that it is safe in a log line or a terminal. */
export function quote(text: string | undefined): string {
  return JSON.stringify(text === undefined || text.length <= 80 ? text : `${text.slice(0, 80)}…`);
}
