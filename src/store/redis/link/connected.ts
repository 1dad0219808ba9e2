import { setTimeout as delay } from 'node:timers/promises';
import { limits, TonnageError, type Clock } from '../../../base/index.ts';
import type { RedisLink } from './types.ts';

/** How often a link that is not connected yet is looked at. */
const lookMs = 20;

/** Waits for a link that has just been opened. Rejects with `redis_unavailable` when no connection is there in time. */
export async function connected(
  link: Pick<RedisLink, 'status'>,
  clock: Clock,
  waitMs: number = limits.redisConnectMsMax,
): Promise<void> {
  const end = clock.monotonic() + waitMs;
  while (!link.status.connected) {
    if (clock.monotonic() >= end) {
      throw new TonnageError('redis_unavailable', link.status.failure ?? 'Redis could not be reached');
    }
    await delay(lookMs);
  }
}
