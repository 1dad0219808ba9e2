import type { RedisLink } from '../../redis-link/index.ts';
import { pipelineAll } from './replace.ts';

/** Entries that are read at a time: the list is as long as somebody's mistake has lasted. */
const pageSize = 500;

/** What is to become of an entry: another text in its place, or nothing at all (`undefined`). */
type Fate = { readonly text: string } | undefined;

/**
 * Walks a list of rejected changes, and puts another entry in the place of each that `fateOf` answers for. `keep` leaves
 * it as it is. The list may grow meanwhile; may be repeated when broken off.
 */
export async function editRejected(
  link: RedisLink,
  key: string,
  fateOf: (entry: Readonly<Record<string, unknown>>) => Fate | 'keep',
): Promise<void> {
  for (let from = 0; ;) {
    const reply = await link.send({ key, args: ['LRANGE', key, String(from), String(from + pageSize - 1)] });
    const entries = typeof reply === 'object' && reply !== null ? reply.map(String) : [];
    if (entries.length === 0) return;
    for (const entry of entries) {
      const fate = fateOf(parseEntry(entry));
      if (fate === 'keep') {
        from += 1;
        continue;
      }
      // The new one first: broken off in between, it is there twice rather than not at all.
      const added = fate ? [{ key, args: ['RPUSH', key, fate.text] }] : [];
      await pipelineAll(link, [...added, { key, args: ['LREM', key, '1', entry] }]);
    }
  }
}

/** An entry's members; none for a text that is not ours. */
function parseEntry(entry: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(entry);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
