import { limits } from '../../base/index.ts';
import type { ProgramFile, ProgramStatement, SqlValue } from '../../sqlite/index.ts';
import { dimensions, type Day, type UsageAnswer, type UsageQuery } from '../../usage/index.ts';
import { valuesOf } from '../journal/series-ids.ts';
import { detailsIn, foldedDimensions, RowSums, type RowValues, type WindowSums } from '../../usage/index.ts';
import { periodsOf } from './periods.ts';

interface TotalsQuestion {
  readonly query: UsageQuery;
  readonly today: Day;
}

type Table = 'detail_day' | 'account_day' | 'account_month';

interface KnownSeries {
  readonly meter: string;
  readonly values: RowValues;
}

/** Answers queries, in the thread that reads the ledger's file. */
export function createReaderProgram(file: ProgramFile) {
  const reader = new TotalsReader(file);
  return { query: ({ query, today }: TotalsQuestion) => reader.answer(query, today) };
}

/** The functions of the thread that reads the ledger's file. */
export type ReaderFunctions = ReturnType<typeof createReaderProgram>;

class TotalsReader {
  readonly #file: ProgramFile;
  readonly #statements = new Map<string, ProgramStatement>();
  readonly #series = new Map<SqlValue, KnownSeries>();

  constructor(file: ProgramFile) {
    this.#file = file;
  }

  answer(query: UsageQuery, today: Day): UsageAnswer {
    // One snapshot: a batch that is committed in the meantime is in all parts of the answer or in none.
    return this.#file.transact(() => this.#answer(query, today));
  }

  #answer(query: UsageQuery, today: Day): UsageAnswer {
    const to = query.to ?? today + 1;
    const from = query.from ?? Math.min(this.#firstDay(query.meter) ?? today, to);
    const details = detailsIn(query);
    const detailsFrom = details.length > 0 ? this.#day('select details_from from ledger', -Infinity) : Infinity;
    const sums = new RowSums(query);
    const adder = new CellAdder(sums, query.meter, (id) => this.#seriesOf(id));
    for (const [table, period, sign] of this.#parts(query, from, to, detailsFrom)) {
      const rows = this.#rows(table, period);
      adder.add(sums.windowOf(period), rows, sign);
    }
    const page = sums.page();
    const folded = foldedDimensions(query, page.rows, from < detailsFrom ? details : [], sums.capped);
    return { from, to, ...page, ...(folded.length > 0 && { folded }) };
  }

  /** The parts of the answer: each a table, a day or month in it, and whether to add (1) or subtract (-1) its values. */
  *#parts(query: UsageQuery, from: Day, to: Day, detailsFrom: Day): Iterable<readonly [Table, Day, 1 | -1]> {
    const first = this.#day('select min(day) from account_day', Infinity);
    const last = this.#day('select max(day) from account_day', -Infinity);
    if (first > last) return;
    if (detailsFrom !== Infinity) {
      // For days without details, read the accounts, which have only organisation and architecture.
      for (let day = Math.max(from, first); day < Math.min(to, last + 1); day++) {
        yield [day < detailsFrom ? 'account_day' : 'detail_day', day, 1];
      }
      return;
    }
    const range = query.allTime ? { from: first, to: last + 1 } : { from, to };
    for (const { unit, day, sign } of periodsOf({ ...range, window: query.window, first, last })) {
      yield [unit === 'month' ? 'account_month' : 'account_day', day, sign];
    }
  }

  #rows(table: Table, period: Day): readonly (readonly SqlValue[])[] {
    const column = table === 'account_month' ? 'month' : 'day';
    const sql = `select series, value from ${table} where ${column} = ?`;
    try {
      return this.#statement(sql, 'number').all(period);
    } catch (error) {
      // A value exceeds 2^53. Numbers are tried first, since SQLite reads them several times as fast as bigints.
      if (!(error instanceof RangeError)) throw error;
      return this.#statement(sql, 'bigint').all(period);
    }
  }

  #firstDay(meter: string): Day | undefined {
    const [row] = this.#statement(
      'select day from account_day join series s on s.id = account_day.series where s.meter = ? order by day limit 1',
      'number',
    ).all(meter);
    return row === undefined ? undefined : Number(row[0]);
  }

  #day(sql: string, otherwise: Day): Day {
    const value = this.#statement(sql, 'number').all()[0]?.[0] ?? null;
    return value === null ? otherwise : Number(value);
  }

  #seriesOf(id: SqlValue): KnownSeries | undefined {
    const known = this.#series.get(id);
    if (known) return known;
    const [row] = this.#statement(`select meter, ${dimensions.join(', ')} from series where id = ?`, 'number').all(id);
    if (row === undefined) return undefined;
    const [meter, ...values] = row;
    const series = { meter: String(meter), values: valuesOf(values) };
    if (this.#series.size >= limits.rememberedSeriesMax) this.#series.clear();
    this.#series.set(id, series);
    return series;
  }

  #statement(sql: string, integers: 'number' | 'bigint'): ProgramStatement {
    const key = `${integers} ${sql}`;
    let statement = this.#statements.get(key);
    if (statement === undefined) this.#statements.set(key, (statement = this.#file.prepare(sql, { integers })));
    return statement;
  }
}

/** Adds the values of rows (series, value) to the sums. Looks up the group of each series once. */
class CellAdder {
  readonly #sums: RowSums;
  readonly #meter: string;
  readonly #seriesOf: (id: SqlValue) => KnownSeries | undefined;
  readonly #groups = new Map<SqlValue, number>();

  constructor(sums: RowSums, meter: string, seriesOf: (id: SqlValue) => KnownSeries | undefined) {
    this.#sums = sums;
    this.#meter = meter;
    this.#seriesOf = seriesOf;
  }

  add(window: WindowSums, rows: readonly (readonly SqlValue[])[], sign: 1 | -1): void {
    for (const [id = null, value] of rows) {
      let group = this.#groups.get(id);
      if (group === undefined) this.#groups.set(id, (group = this.#groupOf(id)));
      if (typeof value === 'number' || typeof value === 'bigint') {
        this.#sums.add(window, group, sign === 1 ? value : -value);
      }
    }
  }

  #groupOf(id: SqlValue): number {
    const series = this.#seriesOf(id);
    return series?.meter === this.#meter ? this.#sums.groupOf(series.values) : -1;
  }
}
