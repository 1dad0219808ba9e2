import { existsSync } from 'node:fs';
import { isLoss, TonnageError, type Clock } from '../../base/index.ts';
import { createCalendar } from '../../usage/index.ts';
import { fileHistory } from '../../ledger-file/index.ts';
import { hasIdentity, readFacts } from '../../ledger-file/index.ts';
import type { ReadTotals } from '../../store/index.ts';
import { delivers } from '../../ledger-file/index.ts';
import { openLedgerReadOnly } from '../../ledger-file/index.ts';
import { keptBatch } from '../history.ts';
import { connected, openRedisLink, type RedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import { createRedisTotals } from '../read/index.ts';
import { ledgerMigrations } from '../../ledger-file/index.ts';
import { openSqliteTotals } from '../../ledger-file/index.ts';

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
  const { timeZone = options.timeZone, hashKey, knownLoss } = existsSync(file) ? await factsOf(file) : {};
  const calendar = createCalendar(timeZone);
  const link = await openRedisLink(redis);
  try {
    await connected(link, clock);
    const gap = await knownLoss?.(link);
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

interface FileFacts extends Partial<Pick<ReadTotals, 'timeZone' | 'hashKey'>> {
  /** Why the totals in Redis lack counts of this ledger; `undefined` while the ledger knows of no loss. */
  readonly knownLoss: (link: RedisLink) => Promise<string | undefined>;
}

async function factsOf(file: string): Promise<FileFacts> {
  const { timeZone, hashKey, close } = await openSqliteTotals(file);
  await close();
  return { timeZone, ...(hashKey && { hashKey }), knownLoss: (link) => knownLoss(file, link) };
}

/** The loss that the ledger has on record, or one that shows by what Redis has of it now. */
async function knownLoss(file: string, link: RedisLink): Promise<string | undefined> {
  const database = openLedgerReadOnly(file);
  try {
    // A file of an older release has no record; the next start of the server updates it.
    const [[version] = []] = await database.read('pragma user_version');
    if (Number(version) < ledgerMigrations.length || !(await hasIdentity(database)) || !(await delivers(database)))
      return undefined;
    const { ledgerId, gap } = await readFacts(database);
    if (gap) return gap.reason;
    await keptBatch(link, ledgerId, fileHistory(database));
    return undefined;
  } catch (error) {
    if (error instanceof TonnageError && isLoss(error)) return error.message;
    throw error;
  } finally {
    await database.close();
  }
}
