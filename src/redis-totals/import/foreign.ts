import { formatDay, waveFieldName, type Day } from '../../usage/index.ts';
import { foreignDaysKey, ownDayKey, waveHash } from '../layout.ts';
import type { RedisLink, RedisScript } from '../../redis-link/index.ts';
import type { Scope } from '../read/scope.ts';

/**
 * Finds out whether a day is foreign: whether its sum in Wave's hash differs from the sum of the ledgers' counts. One
 * script reads both, because both may grow at any time. A sum of 2^53 or more counts as foreign, because Lua's numbers
 * are inexact there. That is safe: a foreign day is only slower to read.
 *
 * KEYS: Wave's hash, the set of foreign days, the ledgers' hashes of the day. ARGV: the field, the day.
 */
const markScript: RedisScript = {
  name: 'mark-foreign-day',
  source: `
local own = 0
for i = 3, #KEYS do
  for _, amount in ipairs(redis.call('HVALS', KEYS[i])) do own = own + (tonumber(amount) or 0) end
end
local all = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if all == own and own < 9007199254740992 then
  redis.call('SREM', KEYS[2], ARGV[2])
  return 0
end
redis.call('SADD', KEYS[2], ARGV[2])
return 1
`,
};

/** Finds out whether a day is foreign, and updates the set of foreign days. Rejects with the link's errors. */
export async function markForeignDay(link: Pick<RedisLink, 'script'>, scope: Scope, day: Day): Promise<boolean> {
  const { meter } = scope;
  const ledgers = [...scope.own].filter(([, days]) => days.includes(day)).map(([ledgerId]) => ledgerId);
  const keys = [waveHash, foreignDaysKey(meter), ...ledgers.map((ledgerId) => ownDayKey(ledgerId, meter, day))];
  return (await link.script(markScript, keys, [waveFieldName({ meter, day }) ?? '', formatDay(day)])) === 1;
}

/** Whether a ledger has counted on a day. If none has, the day is foreign and needs no script. */
export function hasCounted({ own }: Scope, day: Day): boolean {
  return [...own.values()].some((days) => days.includes(day));
}
