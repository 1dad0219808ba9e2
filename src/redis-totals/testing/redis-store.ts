import { limits, systemClock, systemRandom, type Log } from '../../base/index.ts';
import { eventually } from '../../../test/support/redis.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../ledger-file/index.ts';
import type { RemoteParts, RemoteStore, Store } from '../../store/index.ts';
import { createRemote } from '../drivers/redis.ts';
import type { RedisSettings } from '../settings.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export type TestRemoteOptions = Partial<RedisSettings & RemoteParts>;

export type TestStoreOptions = TestRemoteOptions & Partial<SqliteStoreOptions>;

/** The Redis at `url`, in UTC. With an empty `url` the options name a Cluster or Sentinels. */
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

/** Opens the store of a ledger in UTC, with its totals in the Redis at `url`. Does not wait for a connection. */
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

/** Waits for the link that delivers. Claims and queries have links of their own. */
export function untilDelivering({ remote }: Store): Promise<void> {
  return eventually('Redis accepts deliveries', () => resolves(remote?.position()));
}

/** Waits for the link that reads. */
export function untilReadable({ totals }: Store): Promise<void> {
  const query = { meter: 'pulls', window: 'total', by: [], where: {}, limit: 1, offset: 0 } as const;
  return eventually('Redis answers queries', () => resolves(totals.query(query, 0)));
}

/** Waits for the link that claims. Afterwards the instances have agreed on a secret. */
export function untilAgreed({ shared }: Store): Promise<void> {
  return eventually('Redis accepts claims', () => resolves(shared?.agree()));
}

/** Whether a call resolves. True for an absent part of the store. */
async function resolves(call: Promise<unknown> | undefined): Promise<boolean> {
  return Promise.resolve(call).then(
    () => true,
    () => false,
  );
}
