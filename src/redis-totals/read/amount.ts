import { TonnageError } from '../../base/index.ts';
import type { Amount } from '../../usage/index.ts';
import type { RedisReply } from '../../redis-link/index.ts';

/** Every integer of so many digits is a safe `number`. */
const safeDigits = 15;

/**
 * Parses the count in a field: a decimal integer, as HINCRBY writes it. A missing field is 0.
 *
 * @throws {TonnageError} `store_invalid` for anything else, because a total without this field would be wrong
 */
export function parseAmount(reply: RedisReply | undefined): Amount {
  if (reply === null || reply === undefined) return 0;
  if (typeof reply === 'string') {
    if (reply.length <= safeDigits) {
      const amount = digitsOf(reply);
      if (amount >= 0) return amount;
    }
    if (/^-?\d{1,19}$/.test(reply)) return BigInt(reply);
  }
  throw new TonnageError(
    'store_invalid',
    `a count in Redis: expected an integer, got ${JSON.stringify(reply).slice(0, 100)}`,
  );
}

/** The number in a text of decimal digits; -1 for any other text. */
function digitsOf(text: string): number {
  if (text.length === 0) return -1;
  let amount = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    amount = amount * 10 + digit;
  }
  return amount;
}
