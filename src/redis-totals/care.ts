import { assert, TonnageError, type Clock, type Log } from '../base/index.ts';
import { parseDay, waveFieldName, type Day } from '../usage/index.ts';
import { eraseClaims } from './erase-claims.ts';
import type { BatchHistory, HeldAccounts, LedgerFacts, RemoteCare } from '../store/index.ts';
import {
  foreignDaysKey,
  indexKey,
  numbersKey,
  otherMetersHash,
  ownDayKey,
  ownDaysKey,
  ownMonthKey,
  takenKey,
  waveHash,
} from './layout.ts';
import { importWave, unknownWaveFields } from './import/index.ts';
import {
  connected,
  openRedisLink,
  type RedisCommand,
  type RedisLink,
  type RedisLinkOptions,
  type RedisReply,
} from '../redis-link/index.ts';
import { textsOf } from './reply.ts';
import { createRedisTotals } from './read/index.ts';
import { totalsKey } from './write/changes.ts';
import { RedisWriter } from './write/index.ts';

/** A key that never exists, in the slot of the sums. */
const probeKey = `${numbersKey}:nothing`;

export interface RedisCareOptions {
  readonly redis: RedisLinkOptions;
  /** The ledger whose counts to check, rebuild, migrate or erase. */
  readonly ledger: Pick<LedgerFacts, 'ledgerId'>;
  /** The first day whose details are kept. */
  readonly detailsFrom: Day;
  /** The current day in the ledger's zone. */
  readonly today: Day;
  readonly allowEviction: boolean;
  readonly minReplicas: number;
  readonly besideWave: boolean;
  readonly shared: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens Redis for the commands of `tonnage ledger`. Rejects with the errors of `openRedisLink` and `connected`. */
export async function openRedisCare(options: RedisCareOptions): Promise<RemoteCare> {
  const link = await openRedisLink(options.redis);
  try {
    await connected(link, options.clock);
    return careOver(link, options);
  } catch (error) {
    await link.close();
    throw error;
  }
}

function careOver(link: RedisLink, options: RedisCareOptions): RemoteCare {
  const { clock, besideWave, detailsFrom } = options;
  const { ledgerId } = options.ledger;
  const history = new GivenHistory();
  const writer = new RedisWriter({ ...options, link, ledgerId, history, detailsFrom: () => detailsFrom });
  const totals = createRedisTotals({ link, clock, besideWave, detailsFrom: () => detailsFrom });
  const send = (key: string, ...args: readonly string[]) => link.send({ key, args });
  const hash = async (key: string): Promise<HeldAccounts> => pairsOf(await send(key, 'HGETALL', key));
  const daysIn = async (key: string) =>
    textsOf(await send(key, 'SMEMBERS', key)).flatMap((text) => parseDay(text) ?? []);
  const otherLedgers = async () => textsOf(await send(numbersKey, 'HKEYS', numbersKey)).filter((id) => id !== ledgerId);
  return {
    name: 'Redis',
    detailsFrom,
    position(given) {
      history.give(given);
      return writer.position();
    },
    deliver(batches, given) {
      history.give(given);
      return writer.deliver(batches);
    },
    rebuild: (own, batch, onProgress) => writer.rebuild(own, batch, onProgress),
    eraseNames: (org, meters) => writer.eraseNames(org, meters),
    dropDetails: (meter, day) => writer.dropDetails(meter, day),
    query: (query, today) => totals.query(query, today),
    async assertWritable() {
      for (const key of [waveHash, otherMetersHash]) await assertHash(link, key);
      // Writes nothing, but Redis refuses it if it refuses writes.
      await send(probeKey, 'SETRANGE', probeKey, '0', '');
    },
    ownDays: (meter) => daysIn(ownDaysKey(ledgerId, meter)),
    ownDay: (meter, day) => hash(ownDayKey(ledgerId, meter, day)),
    ownMonth: (meter, month) => hash(ownMonthKey(ledgerId, meter, month)),
    async othersDays(meter) {
      const all = new Set<Day>();
      for (const id of await otherLedgers()) {
        for (const day of await daysIn(ownDaysKey(id, meter))) all.add(day);
      }
      return [...all];
    },
    async othersDay(meter, day) {
      const sums = new Map<string, string>();
      for (const id of await otherLedgers()) {
        for (const [field, value] of await hash(ownDayKey(id, meter, day))) {
          sums.set(field, String(BigInt(sums.get(field) ?? 0) + BigInt(value)));
        }
      }
      return sums;
    },
    ...waveCare(link, options, daysIn),
    async knows({ dimension, values }, meters) {
      if (dimension !== 'org') return false;
      const lookups = meters.flatMap((meter) => values.flatMap((org) => lookupsOf(meter, org)));
      return (await link.pipeline(lookups)).includes(1);
    },
    eraseClaims: (names) => eraseClaims(link, names),
    async takenToken() {
      const token = await send(takenKey, 'HGET', takenKey, ledgerId);
      return typeof token === 'string' ? token : undefined;
    },
    noteTaken: async (token) => void (await send(takenKey, 'HSET', takenKey, ledgerId, token)),
    close: () => link.close(),
  };
}

/** The functions for Wave's counts in the same Redis. */
function waveCare(
  link: RedisLink,
  { clock, besideWave, today }: RedisCareOptions,
  daysIn: (key: string) => Promise<readonly Day[]>,
): Pick<RemoteCare, 'besideWave' | 'hasUnknownWave' | 'importWave' | 'foreignDays'> {
  return {
    besideWave,
    hasUnknownWave: async () => (await unknownWaveFields(link)) > 0,
    async importWave(onProgress) {
      if ((await link.send({ key: waveHash, args: ['HLEN', waveHash] })) === 0) return 0;
      const { skipped } = await importWave({
        link,
        clock,
        onProgress: ({ scanned, total }) => onProgress?.({ work: 'fields of Wave', done: scanned, total }),
      });
      return skipped;
    },
    async foreignDays(meter) {
      const found = await daysIn(foreignDaysKey(meter));
      return besideWave ? [...new Set([...found, today])] : found;
    },
  };
}

/** The history that the last call of `position` or `deliver` passed. */
class GivenHistory implements BatchHistory {
  #given: BatchHistory | undefined;

  give(history: BatchHistory): void {
    this.#given = history;
  }

  lookUp(number: number): ReturnType<BatchHistory['lookUp']> {
    return this.#current().lookUp(number);
  }

  touchedAsOf(day: Day, number: number): ReturnType<BatchHistory['touchedAsOf']> {
    return this.#current().touchedAsOf(day, number);
  }

  #current(): BatchHistory {
    assert(this.#given, 'the writer needs a history');
    return this.#given;
  }
}

/** Commands that answer 1 if the index of a meter has an organisation, or if the organisation has a sum. */
function lookupsOf(meter: string, org: string): readonly RedisCommand[] {
  const [index, totals] = [indexKey(meter, 'orgs'), totalsKey(meter)];
  const field = waveFieldName({ meter, org });
  const lookups = [{ key: index, args: ['SISMEMBER', index, org] }];
  if (field !== undefined) lookups.push({ key: totals, args: ['HEXISTS', totals, field] });
  return lookups;
}

async function assertHash(link: RedisLink, key: string): Promise<void> {
  const type = await link.send({ key, args: ['TYPE', key] });
  if (type === 'hash' || type === 'none') return;
  throw new TonnageError('store_invalid', `Key ${key} in Redis must be a hash, but is a ${String(type)}`);
}

function pairsOf(reply: RedisReply): HeldAccounts {
  const flat = textsOf(reply);
  return new Map(flat.flatMap((field, at) => (at % 2 === 0 ? [[field, flat[at + 1] ?? '']] : [])));
}
