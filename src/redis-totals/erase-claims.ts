import { dimensions, parseDay } from '../usage/index.ts';
import { seenCellsKey, seenDaysKey } from './layout.ts';
import { listOf, textsOf } from './reply.ts';
import type { RedisLink, RedisScript } from '../redis-link/index.ts';
import type { ErasedNames } from '../store/index.ts';

/** The number of fields per HSCAN. */
const fieldsPerStep = 1_000;

/**
 * KEYS: the cells of one period. ARGV: for each cell its number, its old text, its new text. Claims refer to cells by
 * number and stay unchanged. The next number is computed from the number of fields, so a deleted field is always
 * replaced by another one.
 */
const renameScript: RedisScript = {
  name: 'rename-cells',
  source: `
for i = 1, #ARGV, 3 do
  local number, old, new = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HGET', KEYS[1], number) == old then
    redis.call('HSET', KEYS[1], number, new)
    redis.call('HDEL', KEYS[1], old)
    if redis.call('HSETNX', KEYS[1], new, number) == 0 then
      redis.call('HSET', KEYS[1], 'erased:' .. number, number)
    end
  end
end
return 0
`,
};

/**
 * Removes names from the cells of the claims of all instances (`shared/`), so that a later void takes back from the
 * cell that has the count now. Instances may claim events during this. Repeating is harmless. Rejects with the link's
 * errors.
 */
export async function eraseClaims(link: Pick<RedisLink, 'send' | 'script'>, names: ErasedNames): Promise<void> {
  const found = textsOf(await link.send({ key: seenDaysKey, args: ['SMEMBERS', seenDaysKey] }));
  for (const day of found.flatMap((text) => parseDay(text) ?? [])) {
    const key = seenCellsKey(day);
    let cursor = '0';
    do {
      const args = ['HSCAN', key, cursor, 'COUNT', String(fieldsPerStep)];
      const [next, fields = []] = listOf(await link.send({ key, args }));
      const changes = textsOf(fields).flatMap((field, at, all) => {
        const text = at % 2 === 0 && /^\d+$/.test(field) ? all[at + 1] : undefined;
        const renamed = text === undefined ? undefined : withoutNames(text, names);
        return text === undefined || renamed === undefined ? [] : [field, text, renamed];
      });
      if (changes.length > 0) await link.script(renameScript, [key], changes);
      cursor = String(next);
    } while (cursor !== '0');
  }
}

/** A cell's text without the name; undefined if the cell has none of the names. */
function withoutNames(text: string, { dimension, values }: ErasedNames): string | undefined {
  const cell: unknown = JSON.parse(text);
  if (!Array.isArray(cell)) return undefined;
  const at = 2 + dimensions.indexOf(dimension);
  const name: unknown = cell[at];
  if (typeof name !== 'string' || !values.includes(name)) return undefined;
  const row: readonly unknown[] = cell.with(at, null);
  return JSON.stringify(row.slice(0, row.findLastIndex((value) => value !== null) + 1));
}
