import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '../../base/index.ts';
import { openLedger, type Count } from '../../ledger/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { openSqliteStore } from '../../ledger-file/index.ts';
import type { Dimension } from '../../usage/index.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A new data directory in which `counts` have been counted today, in UTC, with these dimensions kept. */
export async function countedDirectory(
  counts: readonly Count[],
  dimensions: readonly Dimension[] = ['org', 'arch', 'upstream', 'repository'],
): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
  const clock = systemClock;
  const file = join(data, 'ledger.sqlite');
  const store = await openSqliteStore({ file, timeZone: 'UTC', acceptTimeZone: false, clock, random: systemRandom });
  const ledger = await openLedger({
    store,
    clock,
    log: silent,
    metrics: new MetricSet(),
    dimensions,
    durability: 'strict',
    orgLabels: true,
  });
  await ledger.record(counts);
  await ledger.close(5_000);
  await store.close();
  return data;
}
