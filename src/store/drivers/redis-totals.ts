import { existsSync } from 'node:fs';
import type { Clock } from '../../base/index.ts';
import { createCalendar } from '../../usage/index.ts';
import type { ReadTotals } from '../contract.ts';
import { connected, openRedisLink, type RedisLinkOptions } from '../redis/link/index.ts';
import { createRedisTotals } from '../redis/read/index.ts';
import { openSqliteTotals } from './sqlite.ts';

export interface RedisTotalsOptions {
  readonly redis: RedisLinkOptions;
  /** Path of the ledger file, which need not exist: it says in which zone days are counted. */
  readonly file: string;
  /** IANA zone of days where there is no ledger file yet. */
  readonly timeZone: string;
  /** Days for which details are kept. */
  readonly detailDays: number;
  /** Wave writes the same hash. */
  readonly besideWave: boolean;
  readonly clock: Clock;
}

/**
 * The totals that are in Redis, for reading, with a server or without one. Rejects with `redis_unavailable` when Redis does
 * not answer in time, and with `config_invalid` for an address that cannot be right.
 */
export async function openRedisTotals(options: RedisTotalsOptions): Promise<ReadTotals> {
  const { redis, file, detailDays, besideWave, clock } = options;
  const { timeZone = options.timeZone, hashKey } = existsSync(file) ? await factsOf(file) : {};
  const calendar = createCalendar(timeZone);
  const link = await openRedisLink(redis);
  try {
    await connected(link, clock);
  } catch (error) {
    await link.close();
    throw error;
  }
  const detailsFrom = (): number => calendar.dayOf(clock.now()) - detailDays;
  const totals = createRedisTotals({ link, clock, besideWave, detailsFrom });
  return {
    query: (query, today) => totals.query(query, today),
    timeZone,
    ...(hashKey && { hashKey }),
    close: () => link.close(),
  };
}

async function factsOf(file: string): Promise<Partial<Pick<ReadTotals, 'timeZone' | 'hashKey'>>> {
  const { timeZone, hashKey, close } = await openSqliteTotals(file);
  await close();
  return { timeZone, ...(hashKey && { hashKey }) };
}
