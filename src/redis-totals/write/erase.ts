import { limits } from '../../base/index.ts';
import { parseDay, waveFieldName } from '../../usage/index.ts';
import { detailRejectedKey, indexKey, rejectedKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';
import { totalsKey } from './changes.ts';
import { editRejected } from './rejected-list.ts';
import { chunks, pipelineAll } from './replace.ts';

/**
 * Deletes an organisation's sums of these meters, including those that others have counted, and its name from the index
 * and from rejected changes. It deletes each field that the architectures and days of the index allow, so it needs no
 * scan. The sums of days and of architectures contain no name and stay.
 *
 * Call it after the ledger has moved its own counts of the organisation and has delivered that. Repeating is harmless.
 * Rejects with the link's errors.
 */
export async function eraseNames(link: RedisLink, org: string, meters: readonly string[]): Promise<void> {
  for (const meter of meters) {
    const archs = await members(link, indexKey(meter, 'archs'));
    const days = (await members(link, indexKey(meter, 'days'))).flatMap((text) => parseDay(text) ?? []);
    const key = totalsKey(meter);
    const fields = [undefined, ...days].flatMap((day) =>
      [undefined, ...archs].flatMap((arch) => {
        const field = { meter, org, ...(arch !== undefined && { arch }), ...(day !== undefined && { day }) };
        return waveFieldName(field) ?? [];
      }),
    );
    const deletions = [...chunks(fields, limits.redisWriteFieldsMax)];
    await pipelineAll(
      link,
      deletions.map((part) => ({ key, args: ['HDEL', key, ...part] })),
    );
    for (const day of days) await eraseRejected(link, detailRejectedKey(meter, day), org);
    const index = indexKey(meter, 'orgs');
    await link.send({ key: index, args: ['SREM', index, org] });
  }
  await eraseRejected(link, rejectedKey, org);
}

async function members(link: RedisLink, key: string): Promise<readonly string[]> {
  return textsOf(await link.send({ key, args: ['SMEMBERS', key] }));
}

/** Removes the organisation's name from rejected changes. The changes stay in the list. */
function eraseRejected(link: RedisLink, key: string, org: string): Promise<void> {
  return editRejected(link, key, (entry) => {
    return entry['org'] === org ? { text: JSON.stringify({ ...entry, org: null }) } : 'keep';
  });
}
