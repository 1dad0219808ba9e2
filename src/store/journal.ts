import { TonnageError } from '../base/index.ts';
import type { Database, SqlValue, Statement } from '../sqlite/index.ts';
import { accountOf, dimensionRow, monthOf, seriesKey, type Increment, type Series } from '../usage/index.ts';
import type { Batch, Journal } from './contract.ts';

/** Keys of series known to be in the file, so that their insertion is not tried again; forgotten all at once. */
const knownSeriesMax = 200_000;

const numberBatch = 'update ledger set last_batch = ? where last_batch = ? - 1';
const insertSeries = `insert into series (key, meter, org, arch, upstream, repository, tag, outcome, user, client)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (key) do nothing`;

function addTo(table: 'detail_day' | 'account_day' | 'account_month', period: 'day' | 'month'): string {
  return `insert into ${table} (${period}, series, value) values (?, (select id from series where key = ?), ?)
    on conflict (${period}, series) do update set value = value + excluded.value`;
}
const addToDetailDay = addTo('detail_day', 'day');
const addToAccountDay = addTo('account_day', 'day');
const addToAccountMonth = addTo('account_month', 'month');

/** What one table gains: summed first, so that a row is touched once however many increments meet in it. */
class Gains {
  readonly #rows = new Map<string, { period: number; key: string; value: bigint }>();

  add(period: number, key: string, value: bigint): void {
    const id = `${period} ${key}`;
    const row = this.#rows.get(id);
    if (row) row.value += value;
    else this.#rows.set(id, { period, key, value });
  }

  rows(): readonly (readonly SqlValue[])[] {
    return [...this.#rows.values()].map(({ period, key, value }) => [period, key, value]);
  }
}

/** The journal over an open ledger file whose `ledger` row exists. The file must have no other writer. */
export function createJournal(database: Database, ledgerId: string, lastBatch: number): Journal {
  let known = new Set<string>();

  /** The statements of a batch, and the series that are in the file once it is committed. */
  function statementsOf(batch: Batch): { statements: Statement[]; seen: Map<string, Series> } {
    const seen = new Map<string, Series>();
    const detail = new Gains();
    const accountDay = new Gains();
    const accountMonth = new Gains();
    for (const increment of batch.increments) {
      const { day, quantity } = increment;
      const account = accountOf(increment);
      const key = noteSeries(seen, increment);
      const accountKey = noteSeries(seen, account);
      detail.add(day, key, quantity);
      accountDay.add(day, accountKey, quantity);
      accountMonth.add(monthOf(day), accountKey, quantity);
    }
    const fresh = [...seen].filter(([key]) => !known.has(key));
    const statements = [
      { sql: numberBatch, rows: [[batch.number, batch.number]], changes: 1 },
      {
        sql: insertSeries,
        rows: fresh.map(([key, { meter, dimensions }]) => [key, meter, ...dimensionRow(dimensions)]),
      },
      { sql: addToDetailDay, rows: detail.rows() },
      { sql: addToAccountDay, rows: accountDay.rows() },
      { sql: addToAccountMonth, rows: accountMonth.rows() },
    ];
    return { statements, seen };
  }

  function remember(seen: ReadonlyMap<string, Series>): void {
    if (known.size + seen.size > knownSeriesMax) known = new Set();
    for (const key of seen.keys()) known.add(key);
  }

  return {
    ledgerId,
    lastBatch,
    async commit(batch) {
      const { statements, seen } = statementsOf(batch);
      try {
        await database.transact(statements);
        remember(seen);
      } catch (error) {
        if (!(error instanceof TonnageError && error.code === 'sqlite_guard')) throw error;
        await checkStored(database, batch.number);
      }
    },
  };
}

function noteSeries(seen: Map<string, Series>, series: Series | Increment): string {
  const key = seriesKey(series);
  if (!seen.has(key)) seen.set(key, series);
  return key;
}

/** The guard on the batch number did not hold: the batch is stored already, or one before it is missing. */
async function checkStored(database: Database, number: number): Promise<void> {
  const [row] = await database.read('select last_batch from ledger');
  const last = Number(row?.[0]);
  if (last >= number) return;
  throw new TonnageError(
    'ledger_gap',
    `batch ${number} does not follow batch ${last}, the last one in ${database.file}`,
  );
}
