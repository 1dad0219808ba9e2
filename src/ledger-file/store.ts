import { accessSync, constants } from 'node:fs';
import { limits, TonnageError, type Clock, type Random } from '../base/index.ts';
import type { Database, SqlValue } from '../sqlite/index.ts';
import type { ReadTotals, Store } from '../store/index.ts';
import { assertDelivers, assertKeptHere } from './journal/destination.ts';
import { createJournal, programModule } from './journal/journal.ts';
import type { ProgramOptions } from './journal/program.ts';
import { openStoredKeyHash, type StoredKeyHash } from './journal/stored-key-hash.ts';
import { openLedgerDatabase, openLedgerReadOnly } from './open.ts';
import { createTokenTable } from './tokens.ts';
import { createTotals, totalsProgram } from './totals/totals.ts';

const hashKeyBytes = 32;

/** A ledger without keys starts to use the newest hash. One with keys keeps its hash, and so recognises every resent event. */
const newestHashSql = `update ledger set hash_version = 2
  where hash_version = 1 and shares_hash_key = 0 and not exists (select 1 from key_run)`;

export interface SqliteStoreOptions {
  /** Path of the ledger file; created when absent. */
  readonly file: string;
  /** IANA zone in which a new ledger counts its days. */
  readonly timeZone: string;
  /** Goes on with `timeZone` although the ledger was kept in another one; the days already counted stay as they are. */
  readonly acceptTimeZone: boolean;
  /** Bytes that batches on their way to a store elsewhere may take. Absent: totals are kept here alone. */
  readonly outboxBytesMax?: number;
  /** Keys of events held at most. Default: `limits.heldKeysMax`. */
  readonly heldKeysMax?: number;
  /** Events that wait to be claimed among several instances, at most. Absent: there is no other instance. */
  readonly pendingClaimsMax?: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The store, and the hash of its ledger's keys, which several instances may come to share. */
export interface SqliteStore extends Store {
  readonly storedKeyHash: StoredKeyHash;
}

/**
 * The embedded store: journal and totals in one SQLite file. The caller holds the lock of the data directory. Rejects
 * with `time_zone_changed`, with `config_invalid` when events wait to be claimed and nobody would, or when its totals would
 * be kept elsewhere than they have been, and as `openLedgerDatabase` does.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { outboxBytesMax, heldKeysMax = limits.heldKeysMax, pendingClaimsMax } = options;
  const hasOutbox = outboxBytesMax !== undefined;
  const hasPending = pendingClaimsMax !== undefined;
  const database = await openLedgerDatabase(options.file, {
    readProgram: totalsProgram,
    program: {
      module: programModule,
      options: {
        heldKeysMax,
        ...(hasOutbox && { outboxBytesMax }),
        ...(hasPending && { pendingClaimsMax }),
      } satisfies ProgramOptions,
    },
  });
  try {
    await (hasOutbox ? assertDelivers : assertKeptHere)(database, options.file);
    const { ledgerId, lastBatch } = await identify(database, options);
    if (!hasPending) await assertNothingPending(database);
    const storedKeyHash = await openStoredKeyHash(database);
    return {
      timeZone: options.timeZone,
      keyHash: storedKeyHash.current,
      storedKeyHash,
      journal: await createJournal({ database, ledgerId, lastBatch, hasOutbox, hasPending }),
      totals: createTotals(database),
      tokens: createTokenTable(database),
      close: () => database.close(),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The totals of a ledger file that another process may be writing. Rejects with `not_found` where there is none. */
export async function openSqliteTotals(file: string): Promise<ReadTotals> {
  assertReadable(file);
  const database = openLedgerReadOnly(file, { readProgram: totalsProgram });
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
    const cause = error instanceof Error && 'code' in error ? error.code : undefined;
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
  ]);
  const [row = []] = await database.read('select ledger_id, time_zone, last_batch from ledger');
  const [ledgerId, storedZone, lastBatch] = row;
  if (storedZone !== timeZone) await changeTimeZone(database, options, storedZone);
  return { ledgerId: String(ledgerId), lastBatch: Number(lastBatch) };
}

/** Events of a ledger that shared its events are counted only when they have been claimed. */
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
