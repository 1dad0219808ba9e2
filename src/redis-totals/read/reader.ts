import type { Log } from '../../base/index.ts';
import { moduleBeside, Thread } from '../../thread/index.ts';
import type { Day, UsageAnswer, UsageQuery } from '../../usage/index.ts';
import type { Totals } from '../../store/index.ts';
import type { RedisLinkOptions } from '../../redis-link/index.ts';

/** How long the thread waits, so that its start does not slow the start of the server. An earlier query starts it. */
const startAfterMs = 1_000;

export interface RedisReaderOptions {
  readonly redis: RedisLinkOptions;
  readonly besideWave: boolean;
  /** Returns the first day whose details are kept now. */
  readonly detailsFrom: () => Day;
  readonly log: Log;
}

/** The data for the thread: options of a link, without those that cannot be sent to a thread. */
export type ReaderData = {
  readonly redis: DistributiveOmit<RedisLinkOptions, 'clock' | 'log'>;
  readonly besideWave: boolean;
};

/** The functions of `reader-thread.ts`. */
export type ReaderFunctions = {
  readonly query: (request: ReaderRequest) => Promise<UsageAnswer>;
};

interface ReaderRequest {
  readonly query: UsageQuery;
  readonly today: Day;
  readonly detailsFrom: Day;
}

/**
 * Queries totals in Redis from a thread with its own link, so that decoding a large reply does not block the main
 * thread. Rejects with the errors of `createRedisTotals`.
 */
export function startRedisReader(options: RedisReaderOptions): Totals & { close(): Promise<void> } {
  const { clock: _, log: __, ...redis } = options.redis;
  const thread = new Thread<ReaderFunctions>({
    file: moduleBeside(import.meta.url, 'reader-thread'),
    name: 'redis-read',
    data: { redis, besideWave: options.besideWave } satisfies ReaderData,
    failure: 'redis_unavailable',
    log: options.log,
  });
  // A query reports why the thread cannot start.
  const start = setTimeout(() => void thread.open().catch(() => undefined), startAfterMs).unref();
  return {
    query: (query, today) => thread.call('query', { query, today, detailsFrom: options.detailsFrom() }),
    async close() {
      clearTimeout(start);
      await thread.close();
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
