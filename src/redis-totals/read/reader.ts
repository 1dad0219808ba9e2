import type { Log } from '../../base/index.ts';
import { moduleBeside, Thread } from '../../thread/index.ts';
import type { Day, UsageAnswer, UsageQuery } from '../../usage/index.ts';
import type { Totals } from '../../store/index.ts';
import type { RedisLinkOptions } from '../../redis-link/index.ts';

/** When the thread starts unless it is asked before: by then a server has started. */
const startAfterMs = 1_000;

export interface RedisReaderOptions {
  readonly redis: RedisLinkOptions;
  readonly besideWave: boolean;
  /** The first day whose details are kept, as of now. */
  readonly detailsFrom: () => Day;
  readonly log: Log;
}

/** What the thread is given: a link's options, without what cannot cross threads. */
export type ReaderData = {
  readonly redis: DistributiveOmit<RedisLinkOptions, 'clock' | 'log'>;
  readonly besideWave: boolean;
};

/** What `reader-thread.ts` serves. */
export type ReaderFunctions = {
  readonly query: (question: ReaderQuestion) => Promise<UsageAnswer>;
};

interface ReaderQuestion {
  readonly query: UsageQuery;
  readonly today: Day;
  readonly detailsFrom: Day;
}

/**
 * Totals read from Redis in a thread of their own, over a link of their own: a large answer takes a moment to decode, and
 * pulls that are being counted do not wait for it. The thread starts a moment after the store was opened, so that it does
 * not hold up the start of a server; a question that comes earlier starts it, and waits. Rejects as `createRedisTotals`.
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
  // Why it cannot open is told to whoever asks.
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
