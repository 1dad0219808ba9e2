import { existsSync, statSync } from 'node:fs';
import { TonnageError } from '../base/index.ts';
import type { Database } from '../sqlite/index.ts';
import type { LedgerFacts } from '../store/index.ts';
import { gapColumns, gapOf, textOf } from './journal/batch-history.ts';
import type { WriterOptions } from './journal/program.ts';
import { assertNotEmpty, openLedgerDatabase, openLedgerThreads, type LedgerDatabase } from './open.ts';

/** Reading a whole ledger is slow, and only the operator waits for it. */
export const careRead = { deadlineMs: 60 * 60_000 } as const;

/** Throws `not_found` if there is no file, and `data_invalid` for a directory or an empty file. */
export function assertLedger(file: string): void {
  if (!existsSync(file)) throw new TonnageError('not_found', `${file} does not exist: there is no ledger`);
  if (statSync(file).isDirectory())
    throw new TonnageError('data_invalid', `${file} is a directory, expected a ledger file`);
  assertNotEmpty(file);
}

/**
 * Opens the ledger at `file`, which exists, for writing, and updates its schema; closes it after `work`. The caller
 * holds the lock of the data directory.
 */
export async function withLedgerFile<T>(file: string, work: (database: Database) => Promise<T>): Promise<T> {
  assertLedger(file);
  return closedAfter(await openLedgerDatabase(file), work);
}

/** The same for writing batches. */
export async function withLedgerThreads<T>(
  file: string,
  options: WriterOptions,
  work: (database: LedgerDatabase) => Promise<T>,
): Promise<T> {
  assertLedger(file);
  return closedAfter(await openLedgerThreads(file, options), work);
}

/** Closes a database after `work`. */
export async function closedAfter<D extends Pick<Database, 'close'>, T>(
  database: D,
  work: (database: D) => Promise<T>,
): Promise<T> {
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** As `LedgerReader.facts`. */
export async function readFacts(database: Pick<Database, 'read'>): Promise<LedgerFacts> {
  const [row] = await database.read(
    `select ledger_id, time_zone, last_batch, last_token, delivered, details_from, hash_key, ${gapColumns} from ledger`,
  );
  if (!row) throw new TonnageError('data_invalid', 'the ledger has no identity: it was never opened by a server');
  const [ledgerId, timeZone, lastBatch, lastToken, delivered, detailsFrom, hashKey, ...gap] = row;
  return {
    ledgerId: String(ledgerId),
    timeZone: String(timeZone),
    lastBatch: Number(lastBatch),
    lastToken: textOf(lastToken),
    delivered: Number(delivered),
    detailsFrom: Number(detailsFrom),
    hashKey: hashKey instanceof Uint8Array ? hashKey : new Uint8Array(),
    gap: gapOf(gap),
  };
}
