import { systemClock, systemRandom, type Log } from '../../base/index.ts';
import { eventually } from '../../../test/support/redis.ts';
import type { Store } from '../../store/index.ts';
import { openRedisStore, type RedisStoreOptions } from '../drivers/redis.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Opens the store of a ledger by itself, in UTC, whose totals are in the Redis at `url`; connected or not. */
export function openTestRedisStore(
  url: string,
  file: string,
  overrides: Partial<RedisStoreOptions> = {},
): Promise<Store> {
  return openRedisStore({
    file,
    timeZone: 'UTC',
    acceptTimeZone: false,
    clock: systemClock,
    random: systemRandom,
    log: silent,
    redis: { mode: 'standalone', url, clock: systemClock, log: silent },
    detailDays: 400,
    allowEviction: false,
    minReplicas: 0,
    besideWave: false,
    shared: false,
    ...overrides,
  });
}

/** Waits for the link that delivers. What is claimed, and what is read, goes over other links, which come up beside it. */
export function untilDelivering({ remote }: Store): Promise<void> {
  return eventually('Redis takes deliveries', () => isAnswered(remote?.position()));
}

/** Waits for the link that reads. */
export function untilReadable({ totals }: Store): Promise<void> {
  const query = { meter: 'pulls', window: 'total', by: [], where: {}, limit: 1, offset: 0 } as const;
  return eventually('Redis is read', () => isAnswered(totals.query(query, 0)));
}

/** Waits for the link that claims; afterwards there is a secret that is agreed on. */
export function untilAgreed({ shared }: Store): Promise<void> {
  return eventually('Redis takes claims', () => isAnswered(shared?.agree()));
}

/** Whether it ends well; what there is none of does. */
async function isAnswered(question: Promise<unknown> | undefined): Promise<boolean> {
  return Promise.resolve(question).then(
    () => true,
    () => false,
  );
}
