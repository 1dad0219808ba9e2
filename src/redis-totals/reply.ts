import { TonnageError } from '../base/index.ts';
import type { RedisReply } from '../redis-link/index.ts';

/** The elements of a list reply as strings; none for any other reply, such as that of a missing key. */
export function textsOf(reply: RedisReply | undefined): readonly string[] {
  return typeof reply === 'object' && reply !== null ? reply.map(String) : [];
}

/** A reply as a list; empty for a missing key. Throws `store_invalid` for any other reply. */
export function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  if (typeof reply === 'object' && reply !== null) return reply;
  if (reply === null || reply === undefined) return [];
  throw unexpected('a list', reply);
}

/** A reply as a string. Throws `store_invalid` for any other reply. */
export function textOf(reply: RedisReply | undefined): string {
  if (typeof reply === 'string') return reply;
  throw unexpected('a string', reply);
}

function unexpected(expected: string, reply: RedisReply | undefined): TonnageError {
  return new TonnageError('store_invalid', `a reply of Redis: expected ${expected}, got ${typeof reply}`);
}
