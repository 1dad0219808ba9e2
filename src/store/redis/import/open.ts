import { setTimeout as delay } from 'node:timers/promises';
import { limits, TonnageError, type Clock } from '../../../base/index.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../link/index.ts';
import { importWave, type WaveImportOptions, type WaveImportSummary } from './import.ts';

/** How often a link that is not connected yet is looked at. */
const lookMs = 20;

/**
 * `importWave` over a link of its own. Rejects as it does, with `redis_unavailable` when no connection is there in time,
 * and with `config_invalid` for an address that cannot be right.
 */
export async function importWaveFrom(
  redis: RedisLinkOptions,
  { clock, onProgress }: Pick<WaveImportOptions, 'clock' | 'onProgress'>,
): Promise<WaveImportSummary> {
  const link = await openRedisLink(redis);
  try {
    await connected(link, clock);
    return await importWave({ link, clock, ...(onProgress && { onProgress }) });
  } finally {
    await link.close();
  }
}

async function connected(link: RedisLink, clock: Clock): Promise<void> {
  const end = clock.monotonic() + limits.redisConnectMsMax;
  while (!link.status.connected) {
    if (clock.monotonic() >= end) {
      throw new TonnageError('redis_unavailable', link.status.failure ?? 'Redis could not be reached');
    }
    await delay(lookMs);
  }
}
