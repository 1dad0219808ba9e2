import { TonnageError } from '../../base/index.ts';
import type { ReadOnlyDatabase, Statement } from '../../sqlite/index.ts';

type Reads = Pick<ReadOnlyDatabase, 'read'>;

/**
 * Whether a ledger delivers its batches to a remote store, or did until now. A rebuild or migration that lets it keep
 * its totals itself ends that.
 */
export async function delivers(database: Reads): Promise<boolean> {
  // A file with an older schema has neither table and never delivered.
  const tables = await database.read("select 1 from sqlite_schema where name in ('outbox', 'outbox_touch')");
  if (tables.length < 2) return false;
  // Both tables may be empty because everything was delivered and deleted long ago. Then the last deleted batch was the last one.
  const sql = `select exists (select 1 from outbox) or exists (select 1 from outbox_touch)
    or exists (select 1 from ledger where delivered > 0 and delivered >= last_batch)`;
  const [row = []] = await database.read(sql);
  return Number(row[0]) === 1;
}

/** Makes a ledger keep its totals itself: forgets batches that wait, deliveries and losses. */
export const keepHere: readonly Statement[] = [
  'delete from outbox',
  'delete from outbox_touch',
  'update ledger set delivered = 0, gap = null, gap_lasts = 0',
].map((sql) => ({ sql, rows: [[]] }));

/**
 * Rejects with `config_invalid` if the ledger delivers to a remote store: batches that are counted without that store
 * would be missing there for ever.
 */
export async function assertKeptHere(database: Reads, file: string): Promise<void> {
  if (!(await delivers(database))) return;
  throw new TonnageError(
    'config_invalid',
    `store: the ledger ${file} delivers its totals to a Redis, and this configuration names none: what is counted now would ` +
      'be missing there. Name that Redis (store.driver: redis), also with --config; or keep the totals here from now on: ' +
      'with tonnage ledger rebuild, or with tonnage ledger migrate --to this configuration, which takes along what others ' +
      'have counted in that Redis',
  );
}

/**
 * Rejects with `config_invalid` if the ledger has batches that were never kept for delivery: the remote store misses
 * them, and would refuse those that follow.
 */
export async function assertDelivers(database: Reads, file: string): Promise<void> {
  const counted = await database.read('select last_batch from ledger where last_batch > 0');
  if (counted.length === 0 || (await delivers(database))) return;
  throw new TonnageError(
    'config_invalid',
    `store: the ledger ${file} has kept its totals itself until now, and delivers none of them to this Redis; nothing is ` +
      'lost. Take them there first: with tonnage ledger migrate --to this configuration, where --config names the one that ' +
      'was used so far, or with tonnage ledger rebuild and this configuration',
  );
}
