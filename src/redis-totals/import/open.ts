import { connected, openRedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import type { WaveImportSummary } from '../../store/index.ts';
import { importWave, type WaveImportOptions } from './import.ts';

/**
 * Runs `importWave` over its own link. Rejects with the errors of `importWave`, `openRedisLink` and `connected`.
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
