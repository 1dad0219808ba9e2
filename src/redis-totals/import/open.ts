import { connected, openRedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import type { WaveImportSummary } from '../../store/index.ts';
import { importWave, type WaveImportOptions } from './import.ts';

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
