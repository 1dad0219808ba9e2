import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom, type Log } from '../base/index.ts';
import { MetricSet, type MetricFamily } from '../metric/index.ts';
import type { RemoteTotals, Store } from '../store/index.ts';
import { openSqliteStore } from '../store/drivers/sqlite.ts';
import { eventually } from '../../test/support/redis.ts';
import { openLedger, type Ledger } from './index.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const int64Max = 2n ** 63n - 1n;

let directory: string;
let store: Store;
let metrics: MetricSet;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-rejected-'));
  store = await openStore();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function openStore(): Promise<Store> {
  const file = join(directory, 'ledger.sqlite');
  const common = { timeZone: 'UTC', acceptTimeZone: false, clock: systemClock, random: systemRandom };
  return openSqliteStore({ file, outboxBytesMax: 1_000_000, ...common });
}

function open(remote?: RemoteTotals): Promise<Ledger> {
  metrics = new MetricSet();
  return openLedger({
    store: { ...store, ...(remote && { remote }) },
    clock: systemClock,
    log: silent,
    metrics,
    dimensions: ['org', 'arch'],
    durability: 'strict',
    orgLabels: true,
  });
}

function sample(name: string, labels = ''): number | bigint | undefined {
  const family = metrics.gather().find((each) => each.name === name) as Extract<MetricFamily, { type: 'counter' }>;
  return [...family.points].find((point) => point.labels.text === labels)?.value;
}

test('what is rejected is not in the counters: they are the same after the next start', async () => {
  const count = (org: string, quantity: bigint) => ({ meter: 'pulls', dimensions: { org }, quantity });
  const ofOrg = (org: string) => sample('tonnage_usage', `meter="pulls",org="${org}",arch=""`);
  const ledger = await open();
  await ledger.record([count('a.org', int64Max)]);
  await ledger.record([count('a.org', 1n), count('b.org', 2n)]);
  expect(sample('tonnage_ledger_rejected_increments')).toBe(1);
  expect([ofOrg('a.org'), ofOrg('b.org')]).toEqual([int64Max, 2n]);
  await ledger.close(5_000);
  await store.close();

  store = await openStore();
  const again = await open();
  expect([ofOrg('a.org'), ofOrg('b.org')]).toEqual([int64Max, 2n]);
  await again.close(5_000);
});

test('what the store elsewhere rejects is counted', async () => {
  const remote: RemoteTotals = {
    confirmed: 0,
    position: () => Promise.resolve(0),
    deliver: () => Promise.resolve({ kind: 'delivered', rejected: 2 }),
    forgetDetails: () => Promise.resolve(false),
    query: () => Promise.reject(new Error('nobody asks')),
    close: () => Promise.resolve(),
  };
  const ledger = await open(remote);
  await ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
  await eventually('it is delivered', () => ledger.status().delivery?.waiting === 0);
  expect(sample('tonnage_ledger_store_rejected_changes')).toBe(2);
  await ledger.close(5_000);
});
