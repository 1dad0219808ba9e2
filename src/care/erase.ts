import { TonnageError, type Clock } from '../base/index.ts';
import { compactFile, type Database } from '../sqlite/index.ts';
import type { ErasedNames, Outbox } from '../store/index.ts';
import type { MoveReply, MoveRule } from '../ledger-file/index.ts';
import { openOutbox } from '../ledger-file/index.ts';
import { ledgerFile } from '../ledger-file/index.ts';
import { checkLedger } from './check.ts';
import { deliverAll } from './deliver.ts';
import type { EraseMark } from './erase-mark.ts';
import { careRead, readFacts, withLedgerFile } from '../ledger-file/index.ts';
import type { OnProgress, RemoteCare } from '../store/index.ts';

/** Cells moved in one batch. */
const cellsPerBatch = 5_000;
/** Days of meters whose details are dropped elsewhere at a time. */
const daysPerDrop = 64;

export interface EraseOptions {
  readonly file: string;
  readonly names: ErasedNames;
  /** Tells the next run that this one has begun. */
  readonly mark: EraseMark;
  /** Where totals are kept, unless that is the file itself. */
  readonly remote?: RemoteCare;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  readonly outboxBytesMax: number;
  readonly clock: Clock;
  readonly onProgress?: OnProgress;
}

/** What stands under a name. */
export interface ErasePlan {
  /** Anything is to be done: the ledger knows the name, the store elsewhere does, or a run for it was broken off. */
  readonly isKnown: boolean;
  readonly series: number;
  readonly cells: number;
  /** By meter, in the order of their names: what they have counted is of several units. */
  readonly counts: readonly { readonly meter: string; readonly quantity: bigint }[];
}

/** Looks up what a ledger file has under a name; changes nothing. */
async function countNamed(database: Pick<Database, 'read'>, names: ErasedNames): Promise<Omit<ErasePlan, 'isKnown'>> {
  const { detailsFrom } = await readFacts(database);
  const ids = `(select id from series where ${names.dimension} in (${names.values.map(() => '?').join(', ')}))`;
  const [row] = await database.read(`select count(*) from series where id in ${ids}`, names.values, careRead);
  // In two halves, since the sum of many sums may be larger than any of them can be.
  const rows = await database.read(
    `select s.meter, count(*), sum(value / 1000000000), sum(value % 1000000000)
      from (select series, value from detail_day where day >= ? and value <> 0 and series in ${ids}
        union all select series, value from account_day where day < ? and value <> 0 and series in ${ids}) as cell
      join series s on s.id = cell.series group by s.meter order by s.meter`,
    [detailsFrom, ...names.values, detailsFrom, ...names.values],
    careRead,
  );
  return {
    series: Number(row?.[0]),
    cells: rows.reduce((sum, [, cells]) => sum + Number(cells), 0),
    counts: rows.map(([meter, , billions, rest]) => ({
      meter: String(meter),
      quantity: BigInt(String(billions)) * 1_000_000_000n + BigInt(String(rest)),
    })),
  };
}

/** Looks up what is to be done to erase a name, here and elsewhere; changes nothing. */
export async function planErase(
  database: Pick<Database, 'read'>,
  { names, mark, remote, meters }: Pick<EraseOptions, 'names' | 'mark' | 'remote' | 'meters'>,
): Promise<ErasePlan> {
  const counted = await countNamed(database, names);
  const isKnown = counted.series > 0 || mark.isSet || (await remote?.knows(names, meters)) === true;
  return { ...counted, isKnown };
}

/**
 * Takes a name out of the ledger: what was counted under it counts without it from then on, here and elsewhere, and the
 * name stands nowhere any more in the file. May be interrupted anywhere, and is begun again then. The caller holds the
 * lock of the data directory. Rejects with `data_invalid` for a ledger whose sums do not agree, with the store's error
 * where that cannot be reached; what was not delivered then waits in the outbox.
 */
export async function eraseNames(options: EraseOptions): Promise<void> {
  const { file, names, mark, remote, meters, outboxBytesMax } = options;
  const findings = await checkLedger(file);
  if (findings.length > 0) {
    throw new TonnageError('data_invalid', `${findings.join('; ')}: run tonnage ledger rebuild, then this again`);
  }
  mark.set();
  const program = { heldKeysMax: Number.MAX_SAFE_INTEGER, ...(remote && { outboxBytesMax }) };
  await withLedgerFile(
    file,
    async (database) => {
      if (remote) await eraseBoth(database, { ...options, remote });
      else await eraseLocal(database, options);
    },
    program,
  );
  await remote?.eraseClaims(names);
  if (remote && names.dimension === 'org') {
    const known = await withLedgerFile(file, (database) => database.read('select distinct meter from series'));
    const all = [...new Set([...meters, ...known.map(([meter]) => String(meter))])];
    for (const org of names.values) await remote.eraseNames(org, all);
  }
  // The bytes of what was deleted stand in free pages until the file is written anew.
  compactFile(ledgerFile(file));
  mark.clear();
}

async function eraseLocal(database: Database, options: EraseOptions): Promise<void> {
  const { lastBatch, delivered } = await readFacts(database);
  const [row] = await database.read('select count(*) from outbox where number > ?', [delivered]);
  const waiting = Number(row?.[0]);
  if (waiting > 0) {
    throw new TonnageError(
      'data_invalid',
      `${waiting} batches up to ${lastBatch} wait for their delivery to a Redis and may hold the name: run this with the ` +
        'configuration of that Redis, or give it up with tonnage ledger rebuild',
    );
  }
  await moveAll(database, options, () => Promise.resolve());
  await database.transact([{ sql: 'delete from outbox', rows: [[]] }]);
}

async function eraseBoth(database: Database, options: EraseOptions & { readonly remote: RemoteCare }): Promise<void> {
  const { remote } = options;
  const outbox = await openOutbox(database);
  const deliver = async (): Promise<void> => {
    const { lastBatch } = await readFacts(database);
    await deliverAll(outbox, remote, lastBatch);
    await empty(outbox, lastBatch);
  };
  // What waits may hold the name, and must not come after it has been erased.
  await deliver();
  await dropOldDetails(outbox, remote);
  await moveAll(database, options, deliver);
  await deliver();
}

/** Moves all cells, batch by batch, and removes their series. */
async function moveAll(
  database: Database,
  { names, clock, onProgress }: EraseOptions,
  afterBatch: () => Promise<void>,
): Promise<void> {
  const { cells: total } = await countNamed(database, names);
  let done = 0;
  for (const table of ['detail_day', 'account_day'] as const) {
    let after: MoveRule['after'];
    do {
      const rule: MoveRule = { names, table, at: clock.now(), max: cellsPerBatch, ...(after && { after }) };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of `eraseMove` in erasing.ts
      const reply = (await database.callWriter('eraseMove', rule)) as MoveReply;
      if (reply.cells > 0) await afterBatch();
      after = reply.last;
      done += reply.cells;
      onProgress?.({ work: 'counts moved', done, total: Math.max(done, total) });
    } while (after);
  }
  await database.callWriter('eraseSeries', names);
}

/** Forgets all delivered batches, since they hold the name. A store that loses them is rebuilt. */
async function empty(outbox: Outbox, delivered: number): Promise<void> {
  const rule = { delivered, confirmed: delivered, before: Number.MAX_SAFE_INTEGER, bytesMax: 0 };
  do {
    await outbox.trim(rule);
  } while (outbox.status().first !== undefined);
}

/** Details elsewhere of days that are kept no longer: moves do not reach them. */
async function dropOldDetails(outbox: Outbox, remote: RemoteCare): Promise<void> {
  for (;;) {
    const days = await outbox.touchedBefore(remote.detailsFrom, daysPerDrop);
    for (const { meter, day } of days) await remote.dropDetails(meter, day);
    if (days.length === 0) return;
    await outbox.untouch(days);
  }
}
