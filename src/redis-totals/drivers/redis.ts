import { assert, limits, type Log } from '../../base/index.ts';
import { createCalendar, type Day } from '../../usage/index.ts';
import type { Journal, RemoteTotals, SharedClaims, Store } from '../../store/index.ts';
import type { StoredKeyHash } from '../../ledger-file/index.ts';
import { createWaveRefresh, noticeWave, type WaveRefresh } from '../import/index.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import { startRedisReader } from '../read/index.ts';
import { createSharedClaims } from '../shared/index.ts';
import { createRedisWriter } from '../write/index.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../ledger-file/index.ts';

export { importWaveFrom } from '../import/index.ts';

/** Meters' days whose details are dropped at a time. */
const forgottenDaysMax = 16;

export interface RedisStoreOptions extends SqliteStoreOptions {
  /** Where Redis is. That it is away is no reason not to open: what is counted waits in the outbox. */
  readonly redis: RedisLinkOptions;
  /** Days for which details are kept. */
  readonly detailDays: number;
  readonly allowEviction: boolean;
  readonly minReplicas: number;
  /** Wave writes the same hash, so that its names are looked for again and again. */
  readonly besideWave: boolean;
  /** Whether other ledgers count into the same Redis, and what two of them are sent counts once. */
  readonly shared: boolean;
  /** Days for which an event that is sent again is known. Default: `limits.dedupeDays`. */
  readonly dedupeDays?: number;
  readonly log: Log;
}

/**
 * The store whose totals are in Redis: the journal is a SQLite file of its own, with an outbox. The caller holds the lock
 * of the data directory. Rejects as `openSqliteStore` does, and with `config_invalid` for an address that cannot be right.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<Store> {
  const { clock, log, besideWave, outboxBytesMax = limits.outboxBytesMax } = options;
  // What is read, claimed, or looked through has links of its own: a large answer, or a WAIT, holds up all behind it.
  const link = await openRedisLink(options.redis);
  const links = [link];
  try {
    const { storedKeyHash, ...local } = await openSqliteStore({
      ...options,
      outboxBytesMax,
      ...(options.shared && { pendingClaimsMax: options.pendingClaimsMax ?? limits.pendingClaimsMax }),
    });
    const calendar = createCalendar(local.timeZone);
    const detailsFrom = (): Day => calendar.dayOf(clock.now()) - options.detailDays;
    const { ledgerId, outbox: history } = local.journal;
    assert(history, 'the journal of this store has an outbox');
    const writer = createRedisWriter({ ...options, link, ledgerId, history, detailsFrom });
    const reader = startRedisReader({ ...options, detailsFrom });
    const shared = options.shared ? await openSharedClaims(options, ledgerId, storedKeyHash, links) : undefined;
    const refresh = besideWave ? await startWaveRefresh(options, links) : undefined;
    let noticed = false;
    const remote: RemoteTotals = {
      query: (query, today) => reader.query(query, today),
      async position() {
        // Before the first delivery: a Wave that was here and is not known would be counted too low without a word.
        if (!besideWave && !noticed) await noticeWave({ link, log });
        noticed = true;
        return writer.position();
      },
      deliver: (batches) => writer.deliver(batches),
      get confirmed() {
        // Where no replica is waited for, what Redis has is as safe as it will be.
        return options.minReplicas === 0 ? Number.MAX_SAFE_INTEGER : writer.confirmed;
      },
      get failure() {
        return link.status.failure;
      },
      forgetDetails: (day) => forgetDetails(local.journal, writer, day),
      async close() {
        await Promise.all([reader.close(), refresh?.close()]);
        await Promise.all(links.map((each) => each.close()));
      },
    };
    return {
      ...local,
      totals: remote,
      remote,
      ...(shared && { shared }),
      async close() {
        await remote.close();
        await local.close();
      },
    };
  } catch (error) {
    await Promise.all(links.map((each) => each.close()));
    throw error;
  }
}

/** The claims have a link of their own, which is added to `links`. */
async function openSharedClaims(
  options: RedisStoreOptions,
  ledgerId: string,
  storedKeyHash: StoredKeyHash,
  links: RedisLink[],
): Promise<SharedClaims> {
  const { dedupeDays = limits.dedupeDays } = options;
  const link = await openRedisLink(options.redis);
  links.push(link);
  return createSharedClaims({ ...options, link, ledgerId, storedKeyHash, dedupeDays });
}

/** Looking for Wave's new names has a link of its own, which is added to `links`. */
async function startWaveRefresh({ redis, clock, log }: RedisStoreOptions, links: RedisLink[]): Promise<WaveRefresh> {
  const link = await openRedisLink(redis);
  links.push(link);
  const refresh = createWaveRefresh({ link, clock, log });
  refresh.start();
  return refresh;
}

async function forgetDetails(
  { outbox }: Journal,
  writer: Pick<ReturnType<typeof createRedisWriter>, 'dropDetails'>,
  day: Day,
): Promise<boolean> {
  assert(outbox, 'the journal of this store has an outbox');
  const days = await outbox.touchedBefore(day, forgottenDaysMax);
  for (const { meter, day: old } of days) await writer.dropDetails(meter, old);
  if (days.length > 0) await outbox.untouch(days);
  return days.length === forgottenDaysMax;
}
