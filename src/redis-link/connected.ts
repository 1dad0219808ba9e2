import { setTimeout as delay } from 'node:timers/promises';
import { limits, TonnageError, type Clock } from '../base/index.ts';
import type { RedisLink } from './types.ts';

/** How often to check the status of a link that is not connected yet. */
const pollMs = 20;

/**
 * Waits until a link is connected. Rejects with `redis_refused` as soon as Redis rejects the login, and with
 * `redis_unavailable` if the link is not connected within `waitMs`.
 */
export async function connected(
  link: Pick<RedisLink, 'status'>,
  clock: Clock,
  waitMs: number = limits.redisConnectMsMax,
): Promise<void> {
  const end = clock.monotonic() + waitMs;
  for (;;) {
    const { connected: isConnected, isRefused, failure = 'Redis is unreachable' } = link.status;
    if (isConnected) return;
    if (isRefused) throw new TonnageError('redis_refused', failure);
    if (clock.monotonic() >= end) {
      throw new TonnageError('redis_unavailable', failure);
    }
    await delay(pollMs);
  }
}
