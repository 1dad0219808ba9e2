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
import { createWaveRefresh, importWaveFrom, noticeWave, type WaveRefresh } from '../import/index.ts';
import { openRedisTotals } from '../open-totals.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../../redis-link/index.ts';
import { startRedisReader } from '../read/index.ts';
import { placesOf, redisLinkOptions, type RedisSettings } from '../settings.ts';
import { createSharedClaims } from '../shared/index.ts';
import { createRedisWriter } from '../write/index.ts';

/** Meters' days whose details are dropped at a time. */
const forgottenDaysMax = 16;

export interface RedisStoreOptions extends RemoteParts {
  readonly redis: RedisLinkOptions;
  readonly allowEviction: boolean;
  readonly minReplicas: number;
  /** Wave writes the same hash, so that its names are looked for again and again. */
  readonly besideWave: boolean;
}

/** The remote store `redis`: totals in a Redis, which Wave may share. */
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

/** Opens the totals of a ledger in Redis, and its claims if it shares events. Connects in the background. */
async function openRemote(options: RedisStoreOptions, ledger: DeliveringLedger): Promise<OpenedRemote> {
  const { clock, log, besideWave } = options;
  const { ledgerId, outbox } = ledger;
  // What is read, claimed, or looked through has links of its own: a large answer, or a WAIT, holds up all behind it.
  const link = await openRedisLink(options.redis);
  const links = [link];
  try {
    const calendar = createCalendar(ledger.timeZone);
    const detailsFrom = (): Day => calendar.dayOf(clock.now()) - options.detailDays;
    const writer = createRedisWriter({ ...options, link, ledgerId, history: outbox, detailsFrom });
    const reader = startRedisReader({ ...options, detailsFrom });
    const claims = options.shared ? await openSharedClaims(options, ledger, links) : undefined;
    const refresh = besideWave ? await startWaveRefresh(options, links) : undefined;
    let noticed = false;
    const totals: RemoteTotals = {
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

/** The claims have a link of their own, which is added to `links`. */
async function openSharedClaims(
  options: RedisStoreOptions,
  { ledgerId, storedKeyHash }: DeliveringLedger,
  links: RedisLink[],
): Promise<SharedClaims> {
  const link = await openRedisLink(options.redis);
  links.push(link);
  return createSharedClaims({ ...options, link, ledgerId, storedKeyHash });
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
  outbox: Outbox,
  writer: Pick<ReturnType<typeof createRedisWriter>, 'dropDetails'>,
  day: Day,
): Promise<boolean> {
  const days = await outbox.touchedBefore(day, forgottenDaysMax);
  for (const { meter, day: old } of days) await writer.dropDetails(meter, old);
  if (days.length > 0) await outbox.untouch(days);
  return days.length === forgottenDaysMax;
}
