import { TonnageError } from '../../base/index.ts';
import type { ProgramFile } from '../../sqlite/index.ts';
import type { Day, DimensionValues, Series } from '../../usage/index.ts';
import { newBatchToken, textOf } from './batch-history.ts';
import { Gains, Sums } from './gains.ts';
import type { OutboxWriter } from './outbox-writer.ts';
import { SeriesIds } from './series-ids.ts';
import type { ErasedNames } from '../../store/index.ts';

/** SQLite's largest integer. */
const integerMax = 2n ** 63n - 1n;

/** Which cells to move next: details, or the accounts of days whose details are gone. */
export interface MoveRule {
  readonly names: ErasedNames;
  readonly table: 'detail_day' | 'account_day';
  /** The time of the batch, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** The last cell that was moved before. */
  readonly after?: { readonly day: Day; readonly series: number };
  readonly max: number;
}

interface MoveReply {
  readonly cells: number;
  /** The last cell that was moved; absent if there are no more. */
  readonly last?: { readonly day: Day; readonly series: number };
}

/** What the steps share. */
interface Parts {
  readonly file: ProgramFile;
  readonly outbox: OutboxWriter | undefined;
  readonly series: SeriesIds;
  readonly tables: Sums;
}

/**
 * Erases names in two steps, which may be interrupted and started again. `eraseMove` moves some thousands of cells to
 * the series without the name, as one numbered batch. After the last, `eraseSeries` removes the empty cells and the
 * series, and records where their events count now. No other batch is committed in between.
 */
export function erasingFunctions(file: ProgramFile, outbox: OutboxWriter | undefined) {
  let parts: Parts | undefined;
  const open = (): Parts => (parts ??= { file, outbox, series: new SeriesIds(file), tables: new Sums(file) });
  return {
    eraseMove: (rule: MoveRule) => moveCells(open(), rule),
    eraseSeries: (names: ErasedNames) => removeSeries(open(), names),
  };
}

function moveCells(parts: Parts, rule: MoveRule): MoveReply {
  const { file, series, outbox } = parts;
  try {
    const reply = file.transact(() => moveSlice(parts, rule));
    outbox?.keep();
    return reply;
  } catch (error) {
    series.forget();
    throw error;
  } finally {
    outbox?.end();
  }
}

function moveSlice({ file, series, tables, outbox }: Parts, rule: MoveRule): MoveReply {
  const { names, table, at, max, after = { day: -Number.MAX_SAFE_INTEGER, series: 0 } } = rule;
  const [lastBatch = 0, detailsFrom = 0] = ledgerNumbers(file);
  const rows = file
    .prepare(
      `select day, series, value from ${table} where (day, series) > (?, ?) and value <> 0
        and day ${table === 'detail_day' ? '>=' : '<'} ? and series in (${seriesSql(names)})
        order by day, series limit ?`,
    )
    .all(after.day, after.series, detailsFrom, ...names.values, max);
  const end = rows.at(-1);
  if (!end) return { cells: 0 };
  const number = lastBatch + 1;
  const previousToken = textOf(file.prepare('select last_token from ledger').all()[0]?.[0]);
  const token = newBatchToken();
  file.prepare('update ledger set last_batch = ?, last_token = ?').run(number, token);
  const gains = new Gains();
  for (const [day, id, value] of rows) {
    const stored = series.byId(Number(id));
    const quantity = BigInt(String(value));
    gains.add(stored, Number(day), -quantity, 'backfill');
    gains.add(series.of(without(stored.series, names)), Number(day), quantity, 'backfill');
  }
  const { increments, rejected } = tables.write(gains, { number, at, detailsFrom });
  if (rejected > 0)
    throw new TonnageError('data_invalid', 'the sums without the name would leave the range of 64 bits');
  outbox?.put({ number, token, previousToken }, at, increments);
  const more = rows.length === max;
  return { cells: rows.length, ...(more && { last: { day: Number(end[0]), series: Number(end[1]) } }) };
}

/** Returns the number of series that were removed. Throws `data_invalid` if any of them still has a count. */
function removeSeries({ file, series }: Parts, names: ErasedNames): number {
  // Otherwise SQLite looks for each series in all tables. This function itself removes all references.
  file.prepare('pragma foreign_keys = off').run();
  file.prepare('create temp table if not exists erased (old integer primary key, series integer not null)').run();
  try {
    return file.transact(() => {
      file.prepare('delete from temp.erased').run();
      const insert = file.prepare('insert into temp.erased (old, series) values (?, ?)');
      for (const [id] of file.prepare(seriesSql(names)).all(...names.values)) {
        const stored = series.byId(Number(id));
        insert.run(id ?? null, series.of(without(stored.series, names)).id);
      }
      refuseUnmoved(file);
      return removeErased(file);
    });
  } finally {
    series.forget();
    file.prepare('pragma foreign_keys = on').run();
  }
}

/** Number of the last batch, and the first day whose details are kept. */
function ledgerNumbers(file: ProgramFile): readonly number[] {
  return file.prepare('select last_batch, details_from from ledger').all()[0]?.map(Number) ?? [];
}

function refuseUnmoved(file: ProgramFile): void {
  const [, detailsFrom = 0] = ledgerNumbers(file);
  const left = ['account_month', 'account_day', `(select * from detail_day where day >= ${Math.trunc(detailsFrom)})`]
    .map((table) => `select 1 from ${table} where value <> 0 and series in (select old from temp.erased)`)
    .some((sql) => file.prepare(`${sql} limit 1`).all().length > 0);
  if (!left) return;
  throw new TonnageError(
    'data_invalid',
    'the sums of the ledger do not agree: run tonnage ledger rebuild, then this again',
  );
}

function removeErased(file: ProgramFile): number {
  const run = (sql: string) => file.prepare(sql).run();
  const capped = (column: string) =>
    `${column} = iif(${column} <= ${integerMax} - excluded.${column}, ${column} + excluded.${column}, ${integerMax})`;
  run(`insert into account_total (series, counted, voided)
    select e.series, t.counted, t.voided from account_total t join temp.erased e on e.old = t.series where true
    on conflict (series) do update set ${capped('counted')}, ${capped('voided')}`);
  for (const table of ['rejected', 'moved_series']) {
    run(`update ${table} set series = (select e.series from temp.erased e where e.old = ${table}.series)
      where series in (select old from temp.erased)`);
  }
  run('insert into moved_series (old, series) select old, series from temp.erased');
  for (const table of ['account_total', 'account_month', 'account_day', 'detail_day']) {
    run(`delete from ${table} where series in (select old from temp.erased)`);
  }
  return run('delete from series where id in (select old from temp.erased)');
}

/** The ids of all series with one of the names, whose values are the parameters. */
function seriesSql({ dimension, values }: ErasedNames): string {
  return `select id from series where ${dimension} in (${values.map(() => '?').join(', ')})`;
}

function without({ meter, dimensions }: Series, { dimension }: ErasedNames): Series {
  const kept: { -readonly [D in keyof DimensionValues]: DimensionValues[D] } = { ...dimensions };
  delete kept[dimension];
  return { meter, dimensions: kept };
}
