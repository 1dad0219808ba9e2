import { TonnageError } from '../base/index.ts';

/** The response of `/api/v1/events`. */
export interface EventsAnswer {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

type Members = Readonly<Record<string, unknown>>;

/** Parses the response. Throws `unavailable` if it is not from a Tonnage server. */
export function readEventsAnswer(text: string): EventsAnswer {
  const answer = parse(text);
  const results = answer?.['results'];
  if (answer === undefined || !Array.isArray(results)) throw foreign();
  const refused = results.filter(isObject).filter(({ status }) => status === 'refused');
  return {
    accepted: countOf(answer['accepted']),
    duplicate: countOf(answer['duplicate']),
    voided: countOf(answer['voided']),
    refused: refused.map(({ index, code, message }) => ({
      index: countOf(index),
      code: printable(code),
      message: printable(message),
    })),
  };
}

/** The message of a problem document (RFC 9457), or `otherwise`. */
export function readProblem(text: string, otherwise: string): string {
  const problem = parse(text);
  const message = problem?.['detail'] ?? problem?.['title'];
  return typeof message === 'string' ? printable(message) : otherwise === '' ? 'no reason given' : printable(otherwise);
}

function parse(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Not from Tonnage: for example an HTML page of a proxy.
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw foreign();
}

function foreign(): TonnageError {
  return new TonnageError('unavailable', 'the response is not from a Tonnage server');
}

/** Makes a text from the server safe for a terminal. */
function printable(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}') : 'no reason given';
}
