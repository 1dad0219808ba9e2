import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaled } from '../../../test/support/long.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { untilReadable } from '../testing/redis-store.ts';
import { Instance, type Sent } from './testing/instance.ts';
import { outcome } from '../../usage/index.ts';

const today = Math.floor(Date.now() / 86_400_000);

const redis = suiteRedis();
let instances: readonly Instance[] = [];
let cases = 0;

beforeAll(async () => {
  instances = ['one', 'two'].map((name) => new Instance(redis.server.url, join(redis.directory, `${name}.sqlite`)));
  for (const instance of instances) await instance.open();
});
afterAll(async () => {
  for (const instance of instances) await instance.close();
});

/** A step of one instance. Opening loses the claims that it has not settled. */
type Step =
  | { readonly do: 'send'; readonly at: number; readonly ids: readonly number[] }
  | { readonly do: 'claim' | 'settle' | 'finish' | 'reopen'; readonly at: number; readonly max: number };

const at = fc.constantFrom(0, 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      at,
      ids: fc.array(fc.integer({ min: 1, max: 18 }), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('claim' as const, 'claim' as const, 'settle' as const, 'settle' as const, 'finish' as const),
      at,
      max: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), at, max: fc.constant(1) }) },
);

const firstVoid = 13;

/** The event or void with this number: the same at both instances, each time. */
function sent(id: number, firstId: number, meter: string): Sent {
  if (id >= firstVoid) return { id: firstId + id, voids: firstId + 1 + ((id * 5) % 12) };
  const dimensions = { org: `${id % 3}.example`, repository: `r${id % 2}` };
  return { id: firstId + id, counts: { meter, day: today - (id % 4), dimensions, quantity: id } };
}

async function take(instance: Instance, action: Step, events: readonly Sent[]): Promise<void> {
  if (action.do === 'send') await instance.send(events);
  else if (action.do === 'claim') await instance.claim(action.max);
  else if (action.do === 'settle') await instance.settle();
  else if (action.do === 'finish') await instance.finish();
  else await instance.open();
}

test(
  'any events and voids, sent to two instances in any order and repeatedly, count as at one instance',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        const [firstId, meter] = [++cases * 1_000, `meter_${cases}`];
        const known = new Map<number, Sent>();
        for (const each of steps) {
          const instance = instances[each.at];
          const events = each.do === 'send' ? each.ids.map((id) => sent(id, firstId, meter)) : [];
          for (const event of events) known.set(event.id, event);
          if (instance) await take(instance, each, events);
        }
        for (const instance of instances) await instance.finish();
        const expected = expectedOf([...known.values()]);
        expect(await inRedis(meter)).toEqual(expected);
        expect(await inLedgers(meter)).toBe([...expected.values()].reduce((sum, value) => sum + value, 0n));
      }),
      { numRuns: scaled(30, 400) },
    );
  },
  scaled(600_000, 1_800_000),
);

/** Counts by day and organisation: each event once, without the targets of voids. */
function expectedOf(events: readonly Sent[]): ReadonlyMap<string, bigint> {
  const taken = new Set(events.flatMap((event) => ('voids' in event ? [event.voids] : [])));
  const sums = new Map<string, bigint>();
  for (const event of events) {
    if ('voids' in event || taken.has(event.id)) continue;
    const { day, dimensions, quantity } = event.counts;
    const key = `${day} ${dimensions.org}`;
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(quantity));
  }
  return sums;
}

async function inRedis(meter: string): Promise<ReadonlyMap<string, bigint>> {
  const [one] = instances;
  if (one) await untilReadable(one.store);
  const range = { from: today - 10, to: today + 1, where: {}, limit: 100, offset: 0 };
  const answer = await one?.store.totals.query({ meter, window: 'day', by: ['org'], ...range }, today);
  return new Map(answer?.rows.map((row) => [`${row.from} ${row.dimensions.org}`, row.value]));
}

/** The counts of both instances, minus what voids took back. */
async function inLedgers(meter: string): Promise<bigint> {
  const accounts = await Promise.all(instances.map(({ store }) => store.journal.accounts()));
  const own = accounts.flat().filter(({ account }) => account.meter === meter);
  return own.reduce((sum, { counted, voided }) => sum + counted - voided, 0n);
}

test('an instance detects its own duplicates at once, and those of another instance after the claim', async () => {
  const [one, two] = instances;
  const [firstId, meter] = [++cases * 1_000, `meter_${cases}`];
  const event = sent(3, firstId, meter);
  const [accepted] = (await one?.send([event, event])) ?? [];
  expect(accepted).toBe(outcome.accepted);
  expect(await one?.send([event])).toEqual([outcome.duplicate]);
  expect(await two?.send([event])).toEqual([outcome.accepted]);
  expect(await inLedgers(meter)).toBe(0n);
  await two?.claim();
  await two?.settle();
  expect(await inLedgers(meter)).toBe(3n);
  await one?.claim();
  const settled = await one?.settle();
  expect([...(settled?.verdicts ?? [])]).toEqual([outcome.duplicate]);
  expect(await inLedgers(meter)).toBe(3n);
});
