import type { RedisLink } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';
import { pipelineAll } from './replace.ts';

/** Entries per read. The list can be long: every change of a bad field adds an entry. */
const pageSize = 500;

/** What to do with an entry: keep it, remove it, or replace it with a text. */
type Edit = 'keep' | 'remove' | { readonly text: string };

/**
 * Edits the entries of a list of rejected changes. The list may grow during the edit. After an interruption the edit
 * may be repeated. Rejects with the link's errors.
 */
export async function editRejected(
  link: RedisLink,
  key: string,
  editOf: (entry: Readonly<Record<string, unknown>>) => Edit,
): Promise<void> {
  for (let from = 0; ;) {
    const reply = await link.send({ key, args: ['LRANGE', key, String(from), String(from + pageSize - 1)] });
    const entries = textsOf(reply);
    if (entries.length === 0) return;
    for (const entry of entries) {
      const edit = editOf(parseEntry(entry));
      if (edit === 'keep') {
        from += 1;
        continue;
      }
      // Add before removing: an interruption then leaves both entries, not none.
      const added = edit === 'remove' ? [] : [{ key, args: ['RPUSH', key, edit.text] }];
      await pipelineAll(link, [...added, { key, args: ['LREM', key, '1', entry] }]);
    }
  }
}

/** The members of an entry; none if it is not a JSON object. */
function parseEntry(entry: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(entry);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}
