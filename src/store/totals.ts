import type { ReadOnlyDatabase, SqlValue } from '../sqlite/index.ts';
import {
  dimensions,
  foldedValue,
  type Day,
  type Dimension,
  type UsageAnswer,
  type UsageQuery,
  type UsageRow,
} from '../usage/index.ts';
import type { Totals } from './contract.ts';
import { detailDimensionsOf, firstDaySql, rowsSql, totalSql, type RangedQuery } from './totals-sql.ts';

/** Totals read from a ledger file. */
export function createTotals(database: Pick<ReadOnlyDatabase, 'read'>): Totals {
  async function firstDay(meter: string, otherwise: Day): Promise<Day> {
    const { text, parameters } = firstDaySql(meter);
    const [row] = await database.read(text, parameters);
    return row ? Number(row[0]) : otherwise;
  }

  async function total(query: RangedQuery): Promise<bigint> {
    const { text, parameters } = totalSql(query);
    const [row] = await database.read(text, parameters);
    return integer(row?.[0]);
  }

  return {
    async query(query: UsageQuery, today: Day): Promise<UsageAnswer> {
      const to = query.to ?? today + 1;
      const from = query.from ?? Math.min(await firstDay(query.meter, today), to);
      const detailed = detailDimensionsOf(query);
      const detailsFrom = detailed.length > 0 ? await readDetailsFrom(database) : from;
      const ranged = { ...query, from, to, detailsFrom };
      const { text, parameters } = rowsSql(ranged);
      const found = await database.read(text, parameters);
      const page = found.slice(0, query.limit);
      const rows = page.map((row) => usageRow(query, row));
      const folded = foldedDimensions(query, rows, from < detailsFrom ? detailed : []);
      const beyondEnd = found.length === 0 && query.offset > 0;
      return {
        from,
        to,
        rows,
        total: beyondEnd ? await total(ranged) : integer(found[0]?.at(-1)),
        ...(found.length > query.limit && { nextOffset: query.offset + query.limit }),
        ...(folded.length > 0 && { folded }),
      };
    },
  };
}

async function readDetailsFrom(database: Pick<ReadOnlyDatabase, 'read'>): Promise<Day> {
  const [row] = await database.read('select details_from from ledger');
  return Number(row?.[0]);
}

/** The dimensions that were not told apart everywhere: `gone` with the details of old days, others beyond their caps. */
function foldedDimensions(
  { by }: UsageQuery,
  rows: readonly UsageRow[],
  gone: readonly Dimension[],
): readonly Dimension[] {
  const capped = by.filter((name) => rows.some((row) => row.dimensions[name] === foldedValue));
  return dimensions.filter((name) => gone.includes(name) || capped.includes(name));
}

/** A row as `rowsSql` orders its columns: window, dimensions, value, total. */
function usageRow(query: UsageQuery, columns: readonly SqlValue[]): UsageRow {
  const windowed = query.window === 'total' ? 0 : 1;
  const values = query.by.map((name, index) => [name, text(columns[windowed + index])] as const);
  return {
    ...(windowed && { from: Number(columns[0]) }),
    dimensions: Object.fromEntries(values),
    value: integer(columns[windowed + query.by.length]),
  };
}

function text(value: SqlValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function integer(value: SqlValue | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}
