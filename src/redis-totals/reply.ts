import type { RedisReply } from '../redis-link/index.ts';

/** The elements of a list reply as strings; none for any other reply, such as that of a missing key. */
export function textsOf(reply: RedisReply | undefined): readonly string[] {
  return typeof reply === 'object' && reply !== null ? reply.map(String) : [];
}
