import { expect, test } from 'vitest';
import { MetricSet } from '../metric/index.ts';
import type { RemoteTotals } from '../store/index.ts';
import { eventually } from '../../test/support/redis.ts';
import type { Ledger } from './index.ts';
import { openTestLedger, ownStore, valuesOf } from './testing/fixture.ts';

const int64Max = 2n ** 63n - 1n;

const own = ownStore({ outboxBytesMax: 1_000_000 });
let metrics: MetricSet;

function open(remote?: RemoteTotals): Promise<Ledger> {
  metrics = new MetricSet();
  return openTestLedger({ ...own.store, ...(remote && { remote }) }, { metrics, dimensions: ['org', 'arch'] });
}

const sample = (name: string, labels = '') => valuesOf(metrics, name).get(labels);

test('rejected amounts are not in the counters: they are the same after the next start', async () => {
  const count = (org: string, quantity: bigint) => ({ meter: 'pulls', dimensions: { org }, quantity });
  const ofOrg = (org: string) => sample('tonnage_usage', `meter="pulls",org="${org}",arch=""`);
  const ledger = await open();
  await ledger.record([count('a.org', int64Max)]);
  await ledger.record([count('a.org', 1n), count('b.org', 2n)]);
  expect(sample('tonnage_ledger_rejected_increments')).toBe(1);
  expect([ofOrg('a.org'), ofOrg('b.org')]).toEqual([int64Max, 2n]);
  await ledger.close(5_000);

  await own.reopen();
  const again = await open();
  expect([ofOrg('a.org'), ofOrg('b.org')]).toEqual([int64Max, 2n]);
  await again.close(5_000);
});

test('amounts that the store of totals rejects are counted', async () => {
  const remote: RemoteTotals = {
    confirmed: 0,
    position: () => Promise.resolve(0),
    deliver: () => Promise.resolve({ kind: 'delivered', rejected: ['pulls/d/2026-11-30', 'pulls/d/2026-11-30'] }),
    forgetDetails: () => Promise.resolve(false),
    query: () => Promise.reject(new Error('no test queries this store')),
    close: () => Promise.resolve(),
  };
  const ledger = await open(remote);
  await ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
  await eventually('it is delivered', () => ledger.status().delivery?.waiting === 0);
  expect(sample('tonnage_ledger_store_rejected_changes', 'field="pulls/d/2026-11-30"')).toBe(2);
  await ledger.close(5_000);
});
