import { accessSync, constants } from 'node:fs';
import { assert, codeOf, limits, TonnageError, type Clock, type Random } from '../base/index.ts';
import type { Database, SqlValue } from '../sqlite/index.ts';
import type { ReadTotals, RemoteStore, Store, StoredKeyHash } from '../store/index.ts';
import { assertDelivers, assertKeptHere } from './journal/destination.ts';
import { createJournal } from './journal/journal.ts';
import { openStoredKeyHash } from './journal/stored-key-hash.ts';
import { openLedgerReadOnly, openLedgerThreads } from './open.ts';
import { createTokenTable } from './tokens.ts';
import { createTotals } from './totals/totals.ts';

const hashKeyBytes = 32;

/** A ledger without keys starts to use the newest hash. One with keys keeps its hash, and so recognises every resent event. */
const newestHashSql = `update ledger set hash_version = 2
  where hash_version = 1 and shares_hash_key = 0 and not exists (select 1 from key_run)`;

export interface SqliteStoreOptions {
  /** Path of the ledger file; created if missing. */
  readonly file: string;
  /** IANA zone in which a ledger without counts counts its days. */
  readonly timeZone: string;
  /** Continues in `timeZone` even if the ledger was kept in another one. Days that are already counted stay. */
  readonly acceptTimeZone: boolean;
  /** Where the totals are kept. Absent: in the ledger file. */
  readonly remote?: RemoteStore | undefined;
  /** Bytes of batches that wait for delivery. Default: those of `remote`; without it, there is no outbox. */
  readonly outboxBytesMax?: number;
  /** Keys of events held at most. Default: `limits.heldKeysMax`. */
  readonly heldKeysMax?: number;
  /** Events that wait to be claimed at most. Default: `limits.pendingClaimsMax` if `remote` is shared; otherwise events count at once. */
  readonly pendingClaimsMax?: number;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Opens the store of a data directory: the journal and the tokens in one SQLite file, and the totals there too, or in
 * `remote`. The caller holds the lock of the data directory. Rejects with `time_zone_changed`; with `config_invalid` if
 * events wait to be claimed and `remote` is not shared, or if the totals have been kept elsewhere until now; and as
 * `openLedgerDatabase` and `remote.open` do.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { remote, heldKeysMax = limits.heldKeysMax } = options;
  const { outboxBytesMax = remote?.outbox.bytesMax } = options;
  const { pendingClaimsMax = remote?.shared ? limits.pendingClaimsMax : undefined } = options;
  const hasOutbox = outboxBytesMax !== undefined;
  const hasPending = pendingClaimsMax !== undefined;
  const database = await openLedgerThreads(options.file, {
    heldKeysMax,
    ...(hasOutbox && { outboxBytesMax }),
    ...(hasPending && { pendingClaimsMax }),
  });
  try {
    await (hasOutbox ? assertDelivers : assertKeptHere)(database, options.file);
    const { ledgerId, lastBatch } = await identify(database, options);
    if (!hasPending) await assertNothingPending(database);
    const storedKeyHash = await openStoredKeyHash(database);
    const store = {
      timeZone: options.timeZone,
      keyHash: storedKeyHash.current,
      journal: await createJournal({ database, ledgerId, lastBatch, hasOutbox, hasPending }),
      totals: createTotals(database),
      tokens: createTokenTable(database),
      close: () => database.close(),
    };
    return remote ? await deliverTo(remote, store, storedKeyHash) : store;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The same store with its totals in `remote`. */
async function deliverTo(remote: RemoteStore, local: Store, storedKeyHash: StoredKeyHash): Promise<Store> {
  const { ledgerId, outbox } = local.journal;
  assert(outbox, 'a ledger with a remote store has an outbox');
  const { totals, claims } = await remote.open({ ledgerId, timeZone: local.timeZone, outbox, storedKeyHash });
  return {
    ...local,
    totals,
    remote: totals,
    ...(claims && { shared: claims }),
    async close() {
      await totals.close();
      await local.close();
    },
  };
}

/** Opens the totals of a ledger file for reading, also while a server runs. Rejects with `not_found` if there is none. */
export async function openSqliteTotals(file: string): Promise<ReadTotals> {
  assertReadable(file);
  const database = openLedgerReadOnly(file);
  try {
    const [[timeZone, hashKey] = []] = await database.read('select time_zone, hash_key from ledger');
    return {
      ...createTotals(database),
      timeZone: String(timeZone ?? 'UTC'),
      ...(hashKey instanceof Uint8Array && { hashKey }),
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function assertReadable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    const cause = codeOf(error);
    const [code, reason] =
      cause === 'ENOENT' || cause === 'ENOTDIR'
        ? (['not_found', 'does not exist: nothing has been counted there yet'] as const)
        : (['data_invalid', 'cannot be read by this user'] as const);
    throw new TonnageError(code, `${file} ${reason}`, { cause: error });
  }
}

async function identify(
  database: Database,
  options: SqliteStoreOptions,
): Promise<{ ledgerId: string; lastBatch: number }> {
  const { clock, random, timeZone } = options;
  await database.transact([
    {
      sql: `insert or ignore into ledger (id, ledger_id, time_zone, last_batch, created_at) values (1, ?, ?, 0, ?)`,
      rows: [[random.uuid(), timeZone, clock.now()]],
    },
    { sql: 'update ledger set hash_key = ? where hash_key is null', rows: [[random.bytes(hashKeyBytes)]] },
    { sql: newestHashSql, rows: [[]] },
    // A ledger without a batch has no days yet. Its zone may be left from a start that failed.
    { sql: 'update ledger set time_zone = ? where last_batch = 0', rows: [[timeZone]] },
  ]);
  const [row = []] = await database.read('select ledger_id, time_zone, last_batch from ledger');
  const [ledgerId, storedZone, lastBatch] = row;
  if (storedZone !== timeZone) await changeTimeZone(database, options, storedZone);
  return { ledgerId: String(ledgerId), lastBatch: Number(lastBatch) };
}

/** Without shared claims, pending events would never count. */
async function assertNothingPending(database: Database): Promise<void> {
  const [row] = await database.read('select coalesce(sum(events), 0) from pending_claim');
  const events = Number(row?.[0]);
  if (events === 0) return;
  throw new TonnageError(
    'config_invalid',
    `usage.dedupe: ${events} events in this ledger are not counted yet, since they were to be claimed among several ` +
      'instances: start once more with usage.dedupe: shared, until tonnage_ledger_pending_claims is 0',
  );
}

async function changeTimeZone(
  database: Database,
  options: SqliteStoreOptions,
  stored: SqlValue | undefined,
): Promise<void> {
  const { timeZone } = options;
  if (!options.acceptTimeZone) {
    throw new TonnageError(
      'time_zone_changed',
      `the ledger counts its days in ${String(stored)}, the configuration says ${timeZone}: set timeZone back, or start ` +
        'once with --accept-time-zone to count in the new zone from now on',
    );
  }
  await database.transact([{ sql: 'update ledger set time_zone = ?', rows: [[timeZone]], changes: 1 }]);
}
