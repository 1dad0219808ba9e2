import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { Clock } from '../base/index.ts';
import { ledgerApplicationId, ledgerMigrations } from '../ledger-file/index.ts';
import { parseUsageQuery, type EventIdentity, type LedgerEvent } from '../usage/index.ts';
import { openTestLedger, ownStore } from './testing/fixture.ts';

const now = Date.UTC(2026, 0, 15, 12);
const dayMs = 86_400_000;

/** Schema version of the last release whose keys were all made with version 1 of the hash. */
const earlierSchema = 11;

/**
 * A run as that release wrote it, with secret bytes that are all 7: `build-1` (3 builds), an id in Polish (4),
 * `build-2` (5), the void of `build-2`, a void of `build-3`, and the mark that it left for `build-3`.
 */
const run =
  '06000000020000000300000000000000000000000000084000000000000010400000000000001440000000000000f03f000000000000f03f' +
  '000000000000f03f000000000000f03f000000000000f03ff44f0000f44f0000b037922cbe0a2bc2d886c10c0783dcbc9b512e231b36f2ce' +
  '29fddaaed34b26903829ca013464fdcecba1c7e5275d189e4b2f93ebffcdd10c264fab9aab6befa5fcaed25a078e2de2496bfcb2b77f6bbc' +
  'b6feb52e16a399262052a634a2c5a656000001000000fffffffffeff0001';

const own = ownStore();

/** Replaces the ledger's file with one that the earlier release left; it holds the run if `hasKeys`. */
async function openEarlier(hasKeys: boolean): Promise<void> {
  await own.store.close();
  const file = new DatabaseSync(join(own.directory, 'earlier.sqlite'));
  file.exec(ledgerMigrations.slice(0, earlierSchema).join(';'));
  file.exec(`
    pragma application_id = ${ledgerApplicationId}; pragma user_version = ${earlierSchema};
    insert into ledger (id, ledger_id, time_zone, last_batch, created_at, hash_key)
      values (1, 'the-ledger', 'UTC', 1, ${now}, x'${'07'.repeat(32)}');
    insert into series (id, key, meter, org, arch)
      values (1, '["builds","a.org","amd64",null,null,null,null,null,null]', 'builds', 'a.org', 'amd64');
    insert into detail_day values (20468, 1, 7);
    insert into account_day values (20468, 1, 7, 4);
    insert into account_month values (20454, 1, 7);
    insert into account_total values (1, 12, 5);`);
  if (hasKeys) file.exec(`insert into key_run values (1, ${now}, x'${run}'); insert into voided_key values (1, 2)`);
  file.close();
  await own.reopen({ file: join(own.directory, 'earlier.sqlite') });
}

const identity = (id: string, tenant: string | undefined = 'a.org'): EventIdentity => ({
  ...(tenant !== '' && { tenant }),
  source: 'ci',
  id,
});

function build(id: string, tenant?: string): LedgerEvent {
  const dimensions = { org: 'a.org', arch: 'amd64' };
  return { kind: 'usage', ...identity(id, tenant), meter: 'builds', time: now, quantity: 1n, dimensions };
}

const voidOf = (id: string, target: EventIdentity): LedgerEvent => ({
  kind: 'void',
  ...identity(id),
  time: now,
  target,
});

/** Opens a ledger at `at`, sends the events, and answers the total and the status of each. */
async function send(at: number, events: readonly LedgerEvent[]): Promise<unknown> {
  const clock: Clock = { now: () => at, monotonic: () => performance.now() };
  const ledger = await openTestLedger(own.store, { clock, dimensions: ['org', 'arch'] });
  try {
    const results = await ledger.ingest(events);
    const { total } = await ledger.query(parseUsageQuery('builds', {}));
    return [total, ...results.map(({ status }) => status)];
  } finally {
    await ledger.close(10_000);
  }
}

test('a ledger with keys of the earlier hash recognises their events, and keeps that hash', async () => {
  await openEarlier(true);
  expect(own.store.keyHash.version).toBe(1);
  const events = [
    build('build-1'),
    build('zażółć gęślą jaźń', ''),
    build('build-2'),
    build('build-3'),
    build('build-4'),
    voidOf('void-1', identity('build-2')),
    voidOf('void-3', identity('build-1')),
  ];
  const statuses = ['duplicate', 'duplicate', 'duplicate', 'voided', 'accepted', 'duplicate', 'accepted'];
  expect(await send(now + dayMs, events)).toEqual([5n, ...statuses]);
  await own.reopen({ file: join(own.directory, 'earlier.sqlite') });
  expect(await send(now + 2 * dayMs, [build('build-4')])).toEqual([5n, 'duplicate']);
});

test('a ledger without keys moves to the newest hash', async () => {
  await openEarlier(false);
  expect(own.store.keyHash.version).toBe(2);
  expect(await send(now + dayMs, [build('build-1'), build('build-1')])).toEqual([8n, 'accepted', 'duplicate']);
});
