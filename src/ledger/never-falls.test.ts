import { expect, test } from 'vitest';
import { limits, systemClock } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { LedgerEvent } from '../usage/index.ts';
import { scaled } from '../../test/support/long.ts';
import type { Ledger } from './index.ts';
import { openTestLedger, ownStore, valuesOf } from './testing/fixture.ts';

const int64Max = 2n ** 63n - 1n;
/** The largest quantity of an event; that of a pull may be larger. */
const eventMax = BigInt(Number.MAX_SAFE_INTEGER);

const own = ownStore();
let metrics: MetricSet;

function open(orgLabels: boolean): Promise<Ledger> {
  metrics = new MetricSet();
  return openTestLedger(own.store, { metrics, dimensions: ['org', 'arch'], orgLabels });
}

/** Numbers from 0 up to 2^24, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8; // the lower bits of such a generator repeat soon
  };
}

const series = (): ReadonlyMap<string, bigint> =>
  new Map(
    ['tonnage_usage', 'tonnage_usage_voided'].flatMap((name) =>
      [...valuesOf(metrics, name)].map(([labels, value]) => [`${name}{${labels}}`, BigInt(value)] as const),
    ),
  );

/** All series except those at 0, which a start may add. */
const counted = (all: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> =>
  new Map([...all].filter(([, value]) => value !== 0n));

const step = int64Max / 4n;

test.each([true, false])(
  'the counters never fall, even when sums reach the largest integer, and are the same after a start (organisation labels: %s)',
  async (orgLabels) => {
    const seed = scaled(7, 8);
    const next = numbers(seed);
    const orgOf = (number: number) => `org${number % 3}.org`;
    let ledger = await open(orgLabels);
    let before = series();
    const events: LedgerEvent[] = [];
    for (let turn = 0; turn < scaled(60, 1_000); turn++) {
      const org = orgOf(next());
      const event = { tenant: '', source: 'test', time: systemClock.now() };
      const id = `${turn}`;
      const target = events[next() % Math.max(events.length, 1)];
      if (next() % 3 === 0) {
        await ledger.record([{ meter: 'pulls', dimensions: { org }, quantity: step + BigInt(next()) }]);
      } else if (next() % 2 === 0 || !target) {
        const made: LedgerEvent = {
          ...event,
          id,
          kind: 'usage',
          meter: 'pulls',
          dimensions: { org },
          quantity: eventMax,
        };
        events.push(made);
        await ledger.ingest([made]);
      } else {
        await ledger.ingest([{ ...event, id, kind: 'void', target }]);
      }
      // A sum would fall if a month has room again and the all-time sum has none.
      if (next() % 4 === 0)
        await ledger.backfill([{ meter: 'pulls', day: ledger.today(), dimensions: { org }, quantity: -step }]);
      const isStart = next() % 10 === 0;
      const atStop = series();
      if (isStart) {
        await ledger.close(limits.ledgerCloseMsMax);
        await own.reopen();
        ledger = await open(orgLabels);
      }
      const now = series();
      for (const [name, value] of before) {
        expect(now.get(name) ?? 0n, `seed ${seed}, turn ${turn}: ${name}`).toBeGreaterThanOrEqual(value);
      }
      expect(counted(now), `seed ${seed}, turn ${turn}: after a start`).toEqual(counted(atStop));
      before = now;
    }
    const largest = [...before.values()].reduce((most, value) => (value > most ? value : most), 0n);
    expect(largest).toBeGreaterThanOrEqual(int64Max);
    await ledger.close(limits.ledgerCloseMsMax);
  },
);
