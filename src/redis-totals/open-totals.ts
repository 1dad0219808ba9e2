import { isLoss, TonnageError, type Clock } from '../base/index.ts';
import { connected, openRedisLink, type RedisLink, type RedisLinkOptions } from '../redis-link/index.ts';
import type { LedgerReader, ReadTotals } from '../store/index.ts';
import { createCalendar } from '../usage/index.ts';
import { keptBatch } from './history.ts';
import { createRedisTotals } from './read/index.ts';

export interface RedisTotalsOptions {
  readonly redis: RedisLinkOptions;
  /** IANA time zone of the days if there is no ledger yet. */
  readonly timeZone: string;
  /** The number of days for which details are kept. */
  readonly detailDays: number;
  /** `store.besideWave`: Wave still writes to the same hash. */
  readonly besideWave: boolean;
  readonly clock: Clock;
}

/**
 * Opens the totals in Redis for reading, whether or not a server is running. Rejects with the errors of `openRedisLink`
 * and `connected`.
 */
export async function openRedisTotals(
  options: RedisTotalsOptions,
  ledger: LedgerReader | undefined,
): Promise<ReadTotals> {
  const { redis, detailDays, besideWave, clock } = options;
  const { timeZone = options.timeZone, hashKey } = (await ledger?.identity()) ?? {};
  const calendar = createCalendar(timeZone);
  const link = await openRedisLink(redis);
  try {
    await connected(link, clock);
    const gap = ledger && (await knownLoss(ledger, link));
    const detailsFrom = (): number => calendar.dayOf(clock.now()) - detailDays;
    const totals = createRedisTotals({ link, clock, besideWave, detailsFrom });
    return {
      query: (query, today) => totals.query(query, today),
      timeZone,
      ...(hashKey && { hashKey }),
      ...(gap !== undefined && { gap }),
      close: () => link.close(),
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** Why the totals in Redis lack counts of this ledger: a loss on record, or one that the state of Redis shows. */
async function knownLoss(ledger: LedgerReader, link: RedisLink): Promise<string | undefined> {
  const { version, current } = await ledger.schema();
  // A file of an older schema has no record of losses. The next start of the server migrates it.
  if (version < current || !(await ledger.identity()) || !(await ledger.delivers())) return undefined;
  const { ledgerId, gap } = await ledger.facts();
  if (gap) return gap.reason;
  try {
    await keptBatch(link, ledgerId, ledger.history);
    return undefined;
  } catch (error) {
    if (error instanceof TonnageError && isLoss(error)) return error.message;
    throw error;
  }
}
