import { assert } from '../../base/index.ts';
import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { accountOf, dimensionRow, dimensions, seriesKey, type Dimension, type Series } from '../../usage/index.ts';

/** Maximum of series ids in memory, which are then all forgotten. */
const knownSeriesMax = 200_000;

/** Above every id that a series has or had: keys of events may still refer to an erased one. */
export const nextSeriesId =
  '1 + max((select coalesce(max(id), 0) from series), (select coalesce(max(old), 0) from moved_series))';

/** A series in the file, with the series of its account. */
export interface StoredSeries {
  readonly id: number;
  readonly series: Series;
  readonly account: Series;
  readonly accountId: number;
}

/** Ids of series. A lookup creates a missing series, so it needs a transaction. */
export class SeriesIds {
  readonly #select: ProgramStatement;
  readonly #insert: ProgramStatement;
  readonly #selectById: ProgramStatement;
  readonly #selectMoved: ProgramStatement;
  readonly #known = new Map<string, StoredSeries>();

  constructor(file: ProgramFile) {
    const columns = ['key', 'meter', ...dimensions];
    this.#select = file.prepare('select id from series where key = ?');
    this.#insert = file.prepare(
      `insert into series (id, ${columns.join(', ')}) values (${nextSeriesId}, ${columns.map(() => '?').join(', ')}) returning id`,
    );
    this.#selectById = file.prepare(`select meter, ${dimensions.join(', ')} from series where id = ?`);
    this.#selectMoved = file.prepare('select series from moved_series where old = ?');
  }

  of(series: Series): StoredSeries {
    const key = seriesKey(series);
    const known = this.#known.get(key);
    if (known) return known;
    const id = this.#idOf(key, series);
    const account = accountOf(series);
    const accountKey = seriesKey(account);
    const accountId = accountKey === key ? id : this.#idOf(accountKey, account);
    const stored = { id, series, account, accountId };
    if (this.#known.size >= knownSeriesMax) this.#known.clear();
    this.#known.set(key, stored);
    return stored;
  }

  /** The series with this id, or, if it was erased, the series that its counts were moved to. */
  byId(id: number): StoredSeries {
    const moved = this.#selectMoved.all(id)[0]?.[0];
    const [row] = this.#selectById.all(moved ?? id);
    assert(row, `series ${id} is in the ledger`);
    const [meter, ...values] = row;
    return this.of({ meter: String(meter), dimensions: valuesOf(values) });
  }

  /** Rollback: forgets all ids, because some series may not exist. */
  forget(): void {
    this.#known.clear();
  }

  #idOf(key: string, { meter, dimensions: values }: Series): number {
    const [found] = this.#select.all(key);
    const [row] = found ? [found] : this.#insert.all(key, meter, ...dimensionRow(values));
    return Number(row?.[0]);
  }
}

/** The dimensions of a row of values in their fixed order. */
export function valuesOf(row: readonly unknown[]): Series['dimensions'] {
  const values: { -readonly [D in Dimension]?: string } = {};
  for (const [index, name] of dimensions.entries()) {
    const value = row[index];
    if (typeof value === 'string') values[name] = value;
  }
  return values;
}
