import { limits, systemClock, systemRandom, type Log } from '../../base/index.ts';
import { eventually } from '../../../test/support/redis.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../ledger-file/index.ts';
import type { RemoteParts, RemoteStore, Store } from '../../store/index.ts';
import { createRemote } from '../drivers/redis.ts';
import type { RedisSettings } from '../settings.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export type TestRemoteOptions = Partial<RedisSettings & RemoteParts>;

export type TestStoreOptions = TestRemoteOptions & Partial<SqliteStoreOptions>;

/** The Redis at `url`, in UTC. An empty `url` leaves it to the options to name a Cluster or Sentinels. */
export function testRemote(url: string, options: TestRemoteOptions = {}): RemoteStore {
  const settings = {
    ...(url !== '' && { url: { reveal: () => url } }),
    outboxKeep: limits.outboxKeepMs,
    outboxKeepBytes: limits.outboxKeepBytes,
    outboxMax: limits.outboxBytesMax,
    minReplicas: 0,
    allowEviction: false,
    besideWave: false,
  };
  const parts = {
    timeZone: 'UTC',
    detailDays: 400,
    dedupeDays: limits.dedupeDays,
    shared: false,
    clock: systemClock,
    log: silent,
  };
  return createRemote({ ...settings, ...options }, { ...parts, ...options });
}

/** Opens the store of a ledger by itself, in UTC, whose totals are in the Redis at `url`; connected or not. */
export function openTestRedisStore(url: string, file: string, options: TestStoreOptions = {}): Promise<Store> {
  return openSqliteStore({
    file,
    timeZone: 'UTC',
    acceptTimeZone: false,
    clock: systemClock,
    random: systemRandom,
    remote: testRemote(url, options),
    ...options,
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
