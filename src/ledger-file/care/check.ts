import { messageOf } from '../../base/index.ts';
import { assertKnownVersion, integrityProblems, type ReadOnlyDatabase } from '../../sqlite/index.ts';
import type { LedgerFinding } from '../../store/index.ts';
import type { Day } from '../../usage/index.ts';
import { assertLedger, careRead, closedAfter } from '../facts.ts';
import { decodeRun, tombstoneEntry, type Run } from '../journal/run-codec.ts';
import { ledgerFile, openLedgerReadOnly } from '../open.ts';
import { ledgerApplicationId, ledgerMigrations } from '../schema.ts';
import { differencesSql, sumTables } from './sums.ts';

/** The first schema version with keys, an outbox, and a first day of details. */
const keysSinceVersion = 3;
/** The first schema version in which keys may wait to be claimed. */
const claimsSinceVersion = 5;

/** Runs of keys read at a time. */
const runsPerRead = 256;

type Reads = Pick<ReadOnlyDatabase, 'read'>;

/** As `LedgerFile.inspect`. */
export async function inspectLedger(file: string): Promise<readonly LedgerFinding[]> {
  assertLedger(file);
  const damage = integrityProblems(ledgerFile(file));
  if (damage.length > 0) return lasting(damage.map((line) => `${file} is damaged: ${line}`));
  return closedAfter(openLedgerReadOnly(file), async (database) => {
    if ((await readNumber(database, 'pragma application_id')) !== ledgerApplicationId) {
      return lasting(['the file is a database, but no ledger']);
    }
    const version = await readNumber(database, 'pragma user_version');
    assertKnownVersion(file, version, ledgerMigrations.length);
    if (version < keysSinceVersion) return mendable(await sumFindings(database, -Infinity));
    const [identity] = await database.read('select details_from from ledger');
    // No server has opened it yet (a token command created it), so it has no counts.
    if (!identity) return mendable(await sumFindings(database, -Infinity));
    const detailsFrom = Number(identity[0]);
    return [
      ...mendable(await sumFindings(database, detailsFrom)),
      ...lasting(await accountFindings(database)),
      ...mendable(await outboxFindings(database)),
      ...lasting(await keyFindings(database)),
      ...lasting(version < claimsSinceVersion ? [] : await claimFindings(database)),
    ];
  });
}

function mendable(lines: readonly string[]): readonly LedgerFinding[] {
  return lines.map((line) => ({ line, isMendable: true }));
}

function lasting(lines: readonly string[]): readonly LedgerFinding[] {
  return lines.map((line) => ({ line, isMendable: false }));
}

/** Compares the sums of accounts with those of their details. Days before `detailsFrom` have no details. */
async function sumFindings(database: Reads, detailsFrom: Day): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const sumTable of sumTables(Math.max(detailsFrom, Number.MIN_SAFE_INTEGER))) {
    const [row = []] = await database.read(differencesSql(sumTable), [], careRead);
    const [wrong, missing] = row.map(Number);
    if (wrong || missing) {
      findings.push(`${sumTable.table}: ${wrong} sums are not those of their days, ${missing} are missing or other`);
    }
  }
  return findings;
}

/**
 * What was ever counted, and what was taken back, never falls. Neither needs to match the sums: backfilled history is
 * in the sums only.
 */
async function accountFindings(database: Reads): Promise<readonly string[]> {
  const bad = await readNumber(database, 'select count(*) from account_total where counted < 0 or voided < 0');
  return bad > 0 ? [`account_total: ${bad} accounts have counted less than nothing`] : [];
}

/** Batch numbers: none is above the last one, and none is missing after the first that is kept. */
async function outboxFindings(database: Reads): Promise<readonly string[]> {
  const [row = []] = await database.read(
    `select last_batch, delivered, (select count(*) from outbox), (select coalesce(min(number), 0) from outbox),
      (select coalesce(max(number), 0) from outbox), (select coalesce(max(number), 0) from outbox_touch) from ledger`,
  );
  const [last = 0, delivered = 0, kept = 0, first = 0, newest = 0, touched = 0] = row.map(Number);
  const findings: string[] = [];
  if (newest > last) findings.push(`outbox: has batch ${newest}, the last one of the ledger is ${last}`);
  if (kept > 0 && kept !== newest - first + 1) {
    findings.push(`outbox: ${newest - first + 1 - kept} of the batches from ${first} to ${newest} are missing`);
  }
  if (kept > 0 && newest < last) {
    findings.push(`outbox: the batches after ${newest} are missing, the last one of the ledger is ${last}`);
  }
  if (delivered > last) findings.push(`ledger: batch ${delivered} is said to be delivered, the last one is ${last}`);
  if (touched > last) findings.push(`outbox_touch: names batch ${touched}, the last one of the ledger is ${last}`);
  return findings;
}

/** Runs of keys are readable, and the series that they name exist or were moved. */
async function keyFindings(database: Reads): Promise<readonly string[]> {
  const findings: string[] = [];
  const sql = 'select run, entries from key_run where run > ? order by run limit ?';
  for (let after = -1; ;) {
    const rows = await database.read(sql, [after, runsPerRead], careRead);
    if (rows.length === 0) break;
    const named = new Map<number, number>();
    for (const [run, entries] of rows) {
      after = Number(run);
      const read = entries instanceof Uint8Array ? readRun(entries) : 'holds no bytes';
      if (typeof read === 'string') findings.push(`key_run: run ${after} ${read}`);
      else for (const { series } of read.cells) named.set(series, after);
    }
    for (const series of await strangers(database, [...named.keys()])) {
      findings.push(`key_run: run ${named.get(series)} names series ${series}, which is not there`);
    }
  }
  const astray = await readNumber(
    database,
    'select count(*) from voided_key where run >= (select coalesce(min(run), 0) from key_run) and run not in (select run from key_run)',
  );
  if (astray > 0) findings.push(`voided_key: ${astray} voids name keys that are not there`);
  return findings;
}

/** Runs that wait to be claimed exist. */
async function claimFindings(database: Reads): Promise<readonly string[]> {
  const sql = 'select count(*) from pending_claim where run not in (select run from key_run)';
  const missing = await readNumber(database, sql);
  return missing > 0 ? [`pending_claim: ${missing} runs of keys that wait to be claimed are not there`] : [];
}

/** The run, or what is wrong with it. */
function readRun(entries: Uint8Array): Run | string {
  try {
    const run = decodeRun(entries);
    const isValid = run.cellOf.every((cell) => cell >= tombstoneEntry || cell < run.cells.length);
    return isValid ? run : 'names a cell that it lacks';
  } catch (error) {
    return `cannot be read: ${messageOf(error)}`;
  }
}

/** Those of the series that neither exist nor were moved by an erasure. */
async function strangers(database: Reads, series: readonly number[]): Promise<readonly number[]> {
  const rows = await database.read(
    `select value from json_each(?) where value not in (select id from series) and value not in (select old from moved_series)`,
    [JSON.stringify(series)],
    careRead,
  );
  return rows.map(([id]) => Number(id));
}

async function readNumber(database: Reads, sql: string): Promise<number> {
  const [row] = await database.read(sql, [], careRead);
  return Number(row?.[0]);
}
