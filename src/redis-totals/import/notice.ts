import type { Log } from '../../base/index.ts';
import { importKey, numbersKey, waveHash } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { listOf } from '../reply.ts';

/**
 * The number of fields in Wave's hash if Wave has counted in this Redis and its names were never imported; 0 otherwise.
 * Answers lack Wave's counts until an import. Call this before the ledger first delivers: afterwards the hash is never
 * empty. Redis remembers the finding until an import. Rejects with the link's errors.
 */
export async function unknownWaveFields(link: Pick<RedisLink, 'pipeline'>): Promise<number> {
  const [fields, ledgers, state] = await link.pipeline([
    { key: waveHash, args: ['HLEN', waveHash] },
    { key: numbersKey, args: ['HLEN', numbersKey] },
    { key: importKey, args: ['HMGET', importKey, 'done', 'noticed'] },
  ]);
  const [done, noticed] = listOf(state);
  if (done === '1' || fields === 0) return 0;
  if (noticed === null && ledgers !== 0) return 0;
  await link.pipeline([{ key: importKey, args: ['HSET', importKey, 'noticed', '1'] }]);
  return Number(fields);
}

/** Logs a warning if there are such fields. Resolves to whether there are. Rejects with the link's errors. */
export async function noticeWave({ link, log }: { readonly link: Pick<RedisLink, 'pipeline'>; readonly log: Log }) {
  const fields = await unknownWaveFields(link);
  if (fields === 0) return false;
  log.warn({ fields }, 'Wave has counted in this Redis; run tonnage wave import to include its counts in answers');
  return true;
}
