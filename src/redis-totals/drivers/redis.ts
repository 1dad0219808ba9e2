import { createCalendar, type Day } from '../../usage/index.ts';
import type {
  DeliveringLedger,
  OpenedRemote,
  Outbox,
  RemoteParts,
  RemoteStore,
  RemoteTotals,
  SharedClaims,
} from '../../store/index.ts';
import { openRedisCare } from '../care.ts';
import { importWaveFrom, noticeWave, WaveRefresh } from '../import/index.ts';
import { openRedisTotals } from '../open-totals.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import { startRedisReader } from '../read/index.ts';
import { placesOf, redisLinkOptions, type RedisSettings } from '../settings.ts';
import { RedisClaims } from '../shared/index.ts';
import { RedisWriter } from '../write/index.ts';

/** How many days to drop details of at a time, counted for each meter. */
const forgottenDaysMax = 16;

export interface RedisStoreOptions extends RemoteParts {
  readonly redis: RedisLinkOptions;
  readonly allowEviction: boolean;
  readonly minReplicas: number;
  /** `store.besideWave`: Wave still writes to the same hash, so look for new names in it repeatedly. */
  readonly besideWave: boolean;
}

/** The remote store `redis`: totals in Redis. Wave may use the same Redis. */
export function createRemote(settings: RedisSettings, parts: RemoteParts): RemoteStore {
  const { allowEviction, minReplicas, besideWave, outboxMax, outboxKeep, outboxKeepBytes } = settings;
  const redis = redisLinkOptions(settings, parts);
  const options = { ...parts, redis, allowEviction, minReplicas, besideWave };
  return {
    name: 'Redis',
    places: placesOf(redis),
    outbox: { bytesMax: outboxMax, keepMs: outboxKeep, keepBytes: outboxKeepBytes },
    shared: parts.shared,
    open: (ledger) => openRemote(options, ledger),
    openTotals: (ledger) => openRedisTotals(options, ledger),
    openCare(ledger) {
      const today = createCalendar(ledger.timeZone).dayOf(parts.clock.now());
      const detailsFrom = Math.max(ledger.detailsFrom, today - parts.detailDays);
      return openRedisCare({ ...options, ledger, today, detailsFrom });
    },
    importWave: (onProgress) => importWaveFrom(redis, { clock: parts.clock, onProgress }),
  };
}

/**
 * Opens the totals of a ledger in Redis, and its claims if it shares events. Connects in the background. Rejects with
 * `config_invalid` for invalid options.
 */
async function openRemote(options: RedisStoreOptions, ledger: DeliveringLedger): Promise<OpenedRemote> {
  const { clock, log, besideWave } = options;
  const { ledgerId, outbox } = ledger;
  // Queries, claims and the scan of Wave's names have their own links: a large reply or a WAIT blocks later commands.
  const link = await openRedisLink(options.redis);
  const links = [link];
  try {
    const calendar = createCalendar(ledger.timeZone);
    const detailsFrom = (): Day => calendar.dayOf(clock.now()) - options.detailDays;
    const writer = new RedisWriter({ ...options, link, ledgerId, history: outbox, detailsFrom });
    const reader = startRedisReader({ ...options, detailsFrom });
    const claims = options.shared ? await openSharedClaims(options, ledger, links) : undefined;
    const refresh = besideWave ? await startWaveRefresh(options, links) : undefined;
    let noticed = false;
    const totals: RemoteTotals = {
      query: (query, today) => reader.query(query, today),
      async position() {
        // Check before the first delivery: afterwards Wave's counts in this Redis could not be recognised.
        if (!besideWave && !noticed) await noticeWave({ link, log });
        noticed = true;
        return writer.position();
      },
      deliver: (batches) => writer.deliver(batches),
      get confirmed() {
        // Without minReplicas, every delivered batch counts as confirmed.
        return options.minReplicas === 0 ? Number.MAX_SAFE_INTEGER : writer.confirmed;
      },
      get failure() {
        return link.status.failure;
      },
      forgetDetails: (day) => forgetDetails(outbox, writer, day),
      async close() {
        await Promise.all([reader.close(), refresh?.close()]);
        await Promise.all(links.map((each) => each.close()));
      },
    };
    return { totals, ...(claims && { claims }) };
  } catch (error) {
    await Promise.all(links.map((each) => each.close()));
    throw error;
  }
}

/** Opens the claims over their own link, and adds the link to `links`. */
async function openSharedClaims(
  options: RedisStoreOptions,
  { ledgerId, storedKeyHash }: DeliveringLedger,
  links: RedisLink[],
): Promise<SharedClaims> {
  const link = await openRedisLink(options.redis);
  links.push(link);
  return new RedisClaims({ ...options, link, ledgerId, storedKeyHash });
}

/** Starts the scan of Wave's names over its own link, and adds the link to `links`. */
async function startWaveRefresh({ redis, clock, log }: RedisStoreOptions, links: RedisLink[]): Promise<WaveRefresh> {
  const link = await openRedisLink(redis);
  links.push(link);
  const refresh = new WaveRefresh({ link, clock, log });
  refresh.start();
  return refresh;
}

async function forgetDetails(outbox: Outbox, writer: Pick<RedisWriter, 'dropDetails'>, day: Day): Promise<boolean> {
  const days = await outbox.touchedBefore(day, forgottenDaysMax);
  for (const { meter, day: old } of days) await writer.dropDetails(meter, old);
  if (days.length > 0) await outbox.untouch(days);
  return days.length === forgottenDaysMax;
}
