import { TonnageError } from '../../base/index.ts';
import type { Amount } from '../../usage/index.ts';
import type { RedisReply } from '../../redis-link/index.ts';

/** Decimal digits that a `number` holds whatever they are. */
const safeDigits = 15;

/**
 * The count that a field holds: a decimal integer, as HINCRBY writes it; 0 where there is no field.
 *
 * @throws {TonnageError} `store_invalid` for anything else: a total without it would be wrong, and nobody would know
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

/** The number that a text of decimal digits stands for; negative for any other text. */
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
