import { existsSync, statSync } from 'node:fs';
import { TonnageError } from '../base/index.ts';
import type { Database } from '../sqlite/index.ts';
import type { Day } from '../usage/index.ts';
import type { LedgerGap } from '../store/index.ts';
import { gapColumns, gapOf, textOf } from './journal/batch-history.ts';
import { programModule } from './journal/journal.ts';
import type { ProgramOptions } from './journal/program.ts';
import { assertNotEmpty, openLedgerDatabase } from './open.ts';

/** Reading a whole ledger takes its time; nobody waits for it but the person who asked. */
export const careRead = { deadlineMs: 60 * 60_000 } as const;

/** What a ledger says of itself. */
export interface LedgerFacts {
  readonly ledgerId: string;
  readonly timeZone: string;
  readonly lastBatch: number;
  /** Token of that batch; empty in a batch of an older release. */
  readonly lastToken: string;
  /** Number of the last batch that is known to be delivered to a store elsewhere. */
  readonly delivered: number;
  readonly detailsFrom: Day;
  readonly hashKey: Uint8Array;
  /** The loss that the ledger knows of. */
  readonly gap: LedgerGap | undefined;
}

/** Throws `not_found` where there is nothing, `data_invalid` where there is a directory or an empty file. */
export function assertLedger(file: string): void {
  if (!existsSync(file)) throw new TonnageError('not_found', `${file} does not exist: there is no ledger`);
  if (statSync(file).isDirectory())
    throw new TonnageError('data_invalid', `${file} is a directory, expected a ledger file`);
  assertNotEmpty(file);
}

/**
 * Opens the ledger at `file`, which exists, for writing; its schema is brought up to date. The caller holds the lock of
 * the data directory. `program`: with the writer's functions beside it, as a running server has them.
 */
export function openLedgerFile(file: string, program?: ProgramOptions): Promise<Database> {
  assertLedger(file);
  return openLedgerDatabase(file, program && { program: { module: programModule, options: program } });
}

/** Opens a ledger, does something with it, and closes it. */
export async function withLedgerFile<T>(
  file: string,
  work: (database: Database) => Promise<T>,
  program?: ProgramOptions,
): Promise<T> {
  const database = await openLedgerFile(file, program);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Whether a server has ever opened the ledger: one that was made for its tokens alone has not begun to count. */
export async function hasIdentity(database: Pick<Database, 'read'>): Promise<boolean> {
  return (await database.read('select 1 from ledger')).length > 0;
}

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
