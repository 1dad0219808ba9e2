import { accountOf, seriesKey, type Day, type Increment } from '../../../usage/index.ts';
import type { OutboxBatch, OwnCounts } from '../../../store/index.ts';

/** The counts of a ledger that has committed these batches. */
export function ownCountsOf(batches: readonly OutboxBatch[]): OwnCounts {
  const increments = batches.flatMap((batch) => batch.increments);
  const days = new Map(increments.map(({ meter, day }) => [`${meter} ${day}`, { meter, day }]));
  const of = (meter: string, day: Day) => increments.filter((one) => one.meter === meter && one.day === day);
  return {
    meters: [...new Set(increments.map(({ meter }) => meter)), 'pulls'],
    async *days() {
      const sorted = [...days.values()].toSorted((a, b) => a.meter.localeCompare(b.meter) || a.day - b.day);
      for (const { meter, day } of sorted) {
        const accounts = of(meter, day).map((one) => ({ ...accountOf(one), day, quantity: one.quantity }));
        yield { meter, day, accounts: sum(accounts) };
      }
    },
    async *details(meter, day) {
      const cells = sum(of(meter, day));
      for (let from = 0; from < cells.length; from += 3) yield cells.slice(from, from + 3);
    },
  };
}

function sum(increments: readonly Increment[]): readonly Increment[] {
  const cells = new Map<string, Increment>();
  for (const one of increments) {
    const key = seriesKey(one);
    cells.set(key, { ...one, quantity: one.quantity + (cells.get(key)?.quantity ?? 0n) });
  }
  return [...cells.values()].filter(({ quantity }) => quantity !== 0n);
}
