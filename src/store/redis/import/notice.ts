import type { Log } from '../../../base/index.ts';
import { importKey, numbersKey, waveHash } from '../layout.ts';
import type { RedisLink } from '../link/index.ts';
import { listOf } from '../read/reads.ts';

/**
 * Says, and answers, whether somebody else has counted in this Redis whose names have not been imported: until then no
 * answer has what they have counted under these. To be called before a ledger delivers for the first time, since
 * afterwards the hash is never empty; what was found then is kept until there is an import. Rejects with the link's errors.
 */
export async function noticeWave({ link, log }: { readonly link: Pick<RedisLink, 'pipeline'>; readonly log: Log }) {
  const [fields, ledgers, state] = await link.pipeline([
    { key: waveHash, args: ['HLEN', waveHash] },
    { key: numbersKey, args: ['HLEN', numbersKey] },
    { key: importKey, args: ['HMGET', importKey, 'done', 'noticed'] },
  ]);
  const [done, noticed] = listOf(state);
  if (done === '1' || fields === 0) return false;
  if (noticed === null && ledgers !== 0) return false;
  await link.pipeline([{ key: importKey, args: ['HSET', importKey, 'noticed', '1'] }]);
  log.warn({ fields }, 'Wave has counted in this Redis; run tonnage wave import, so that answers have its counts too');
  return true;
}
