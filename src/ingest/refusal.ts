/**
 * Reasons for refusing an event. The last four come from the ledger. Part of the public interface: never renamed, and
 * listed in docs/guides/events.md.
 */
export const refusalReasons = [
  'invalid_event',
  'unknown_type',
  'invalid_time',
  'unknown_member',
  'invalid_quantity',
  'invalid_dimension',
  'not_your_organisation',
  'too_old',
  'in_future',
  'not_voidable',
  'day_limit',
] as const;
export type EventRefusalReason = (typeof refusalReasons)[number];

/** A refused event. The message names the member, what was expected and what came. */
export class Refusal {
  readonly reason: EventRefusalReason;
  readonly message: string;

  constructor(reason: EventRefusalReason, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

const shownLengthMax = 80;

/** A value for a message: truncated, and safe in a log line or a terminal. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return shownText(value);
    case 'number':
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'a list' : 'an object';
    default:
      return 'nothing';
  }
}

function shownText(text: string): string {
  const quoted = JSON.stringify(text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text);
  // JSON does not escape these.
  return quoted.replace(/[\u007f-\u009f\p{Bidi_Control}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
