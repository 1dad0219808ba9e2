import { limits } from '../../base/index.ts';
import { parseDay, waveFieldName } from '../../usage/index.ts';
import { detailRejectedKey, indexKey, rejectedKey } from '../layout.ts';
import type { RedisLink, RedisReply } from '../../redis-link/index.ts';
import { totalsKey } from './changes.ts';
import { editRejected } from './rejected-list.ts';
import { chunks, pipelineAll } from './replace.ts';

/**
 * Deletes what the sums of these meters still hold under an organisation, whoever counted it, and the organisation's name
 * from the index: every field that it can have, by the index's architectures and days, without a scan. To be called when
 * the ledger has moved its own counts elsewhere and that has been delivered. The days' and architectures' own sums, which
 * name nobody, stay. May be repeated.
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
  return texts(await link.send({ key, args: ['SMEMBERS', key] }));
}

function texts(reply: RedisReply): readonly string[] {
  return typeof reply === 'object' && reply !== null ? reply.map(String) : [];
}

/** Rejected changes of the organisation stay in their list, as nobody's. */
function eraseRejected(link: RedisLink, key: string, org: string): Promise<void> {
  return editRejected(link, key, (entry) => {
    return entry['org'] === org ? { text: JSON.stringify({ ...entry, org: null }) } : 'keep';
  });
}
