import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits, systemClock, type Clock } from '../base/index.ts';
import { parseUsageQuery, type UsageEvent } from '../usage/index.ts';
import { scaled } from '../../test/support/long.ts';
import type { Ledger } from './index.ts';
import { openTestLedger, ownStore } from './testing/fixture.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const clock: Clock = { ...systemClock, now: () => now };

let ledger: Ledger;
let now = noon;

beforeEach(() => void (now = noon));
const own = ownStore({ clock });
beforeEach(async () => {
  ledger = await openTestLedger(own.store, { clock, dimensions: ['org', 'arch', 'repository'] });
});
afterEach(() => ledger.close(10_000));

async function total(meter: string, org?: string): Promise<bigint> {
  return (await ledger.query(parseUsageQuery(meter, { from: '2026-11-01', ...(org !== undefined && { org }) }))).total;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the heap in use after a garbage collection. */
function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(
  'of millions of organisations that pull once each, the ledger keeps as many as allowed and counts the rest together',
  async () => {
    const organisations = scaled(300_000, 10_000_000);
    const atOnce = 20_000;
    let before = 0;
    for (let from = 0; from < organisations; from += atOnce) {
      const waits = Array.from({ length: Math.min(atOnce, organisations - from) }, (_, index) => {
        const dimensions = { org: `org${from + index}.example`, arch: 'amd64', repository: `r${index % 100}` };
        return Promise.resolve(ledger.record([{ meter: 'pulls', dimensions, quantity: 1n }]));
      });
      await Promise.all(waits);
      if (from === 5 * atOnce) before = memory();
    }
    expect(await total('pulls')).toBe(BigInt(organisations));
    expect(await total('pulls', '__other__')).toBe(BigInt(organisations - limits.orgsPerDayMax));
    expect(await total('pulls', 'org0.example')).toBe(1n);
    expect(await total('pulls', `org${organisations - 1}.example`)).toBe(0n);
    // Memory that grew with the first hundred thousand does not grow with the following ten million.
    expect(memory() - before).toBeLessThan(20 * 1024 * 1024);
    expect(statSync(join(own.directory, 'ledger.sqlite')).size).toBeLessThan(64 * 1024 * 1024);
  },
  scaled(120_000, 1_800_000),
);

test('the same with events: each is recognised when repeated, and their organisations are bounded', async () => {
  const count = limits.orgsPerDayMax + 5_000;
  const events = Array.from({ length: count }, (_, index): UsageEvent => {
    const dimensions = { org: `org${index}.example` };
    return { kind: 'usage', source: 'ci', id: `${index}`, meter: 'builds', time: now, quantity: 1n, dimensions };
  });
  await ledger.ingest(events);
  const again = await ledger.ingest(events);
  expect(again.every(({ status }) => status === 'duplicate')).toBe(true);
  expect(await total('builds')).toBe(BigInt(count));
  expect(await total('builds', '__other__')).toBe(5_000n);
});

test('after the clock jumps back, events count on the day of the clock, and no key is lost', async () => {
  const pull = (): Promise<void> | undefined =>
    ledger.record([{ meter: 'pulls', dimensions: { org: 'a.org' }, quantity: 1n }]);
  const event = (id: string): UsageEvent => ({
    kind: 'usage',
    source: 'ci',
    id,
    meter: 'builds',
    time: now,
    quantity: 1n,
    dimensions: {},
  });
  const sent = event('1');
  await pull();
  await ledger.ingest([sent]);
  now -= 3 * 86_400_000;
  await pull();
  // Before the jump the event is in the future; once the clock is right again, the ledger recognises it.
  expect(await ledger.ingest([sent])).toMatchObject([{ status: 'refused', reason: 'in_future' }]);
  expect(await ledger.ingest([event('2')])).toEqual([{ status: 'accepted' }]);
  now += 3 * 86_400_000;
  expect(await ledger.ingest([sent])).toEqual([{ status: 'duplicate' }]);
  const { rows } = await ledger.query(parseUsageQuery('pulls', { by: 'day' }));
  expect(rows.map(({ from, value }) => [(from ?? 0) - 20_778, value])).toEqual([
    [-3, 1n],
    [0, 1n],
  ]);
});
