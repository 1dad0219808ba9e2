import { listOf, membersOf, printable, readResponse } from './server-response.ts';

/** The response of `/api/v1/events`. */
export interface EventsAnswer {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: readonly { readonly index: number; readonly code: string; readonly message: string }[];
}

/** Parses the response. Throws `unavailable` if it is not from a Tonnage server. */
export function readEventsAnswer(text: string): EventsAnswer {
  return readResponse(text, eventsAnswer, JSON.parse);
}

function eventsAnswer(content: unknown): EventsAnswer {
  const answer = membersOf(content);
  const results = listOf(answer['results']).map(membersOf);
  return {
    accepted: countOf(answer['accepted']),
    duplicate: countOf(answer['duplicate']),
    voided: countOf(answer['voided']),
    refused: results
      .filter(({ status }) => status === 'refused')
      .map(({ index, code, message }) => ({ index: countOf(index), code: shown(code), message: shown(message) })),
  };
}

function countOf(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError('expected a count');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? printable(value) : 'no reason given';
}
