import { setTimeout as delay } from 'node:timers/promises';
import { limits, TonnageError, type Clock } from '../base/index.ts';
import type { RedisLink } from './types.ts';

/** How often a link that is not connected yet is looked at. */
const lookMs = 20;

/**
 * Waits for a link that has just been opened. Rejects with `redis_refused` as soon as Redis does not let us in, and with
 * `redis_unavailable` when no connection is there in time.
 */
export async function connected(
  link: Pick<RedisLink, 'status'>,
  clock: Clock,
  waitMs: number = limits.redisConnectMsMax,
): Promise<void> {
  const end = clock.monotonic() + waitMs;
  for (;;) {
    const { connected: isConnected, isRefused, failure = 'Redis could not be reached' } = link.status;
    if (isConnected) return;
    if (isRefused) throw new TonnageError('redis_refused', failure);
    if (clock.monotonic() >= end) {
      throw new TonnageError('redis_unavailable', failure);
    }
    await delay(lookMs);
  }
}
