import { TonnageError } from '../base/index.ts';
import { RedisErrorReply } from './failure.ts';
import type { RedisReply } from './types.ts';

/** `Array.isArray` for replies, which are read-only. */
export function isList(value: RedisReply | undefined): value is readonly RedisReply[] {
  return Array.isArray(value);
}

/**
 * Checks that a value decoded by the npm client is a `RedisReply`. An integer beyond 2^53 is an error, never a rounded
 * number: ask for large amounts as text.
 */
export function toReply(value: unknown): RedisReply {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value;
    throw new TonnageError(
      'redis_refused',
      `Redis answered an integer beyond 2^53, near ${value}; expected it as a string`,
    );
  }
  if (Array.isArray(value)) return value.map((item: unknown) => toReply(item));
  if (value instanceof Error) throw new RedisErrorReply(value.message);
  throw new TonnageError('redis_refused', `Redis answered a ${typeof value}; expected strings, integers and lists`);
}
