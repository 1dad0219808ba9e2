import type { ReadOnlyDatabase, SqlValue } from '../sqlite/index.ts';
import type { Day, DimensionValues, UsageAnswer, UsageQuery, UsageRow } from '../usage/index.ts';
import type { Totals } from './contract.ts';
import { firstDaySql, rowsSql, totalSql, valuesSql, type RangedQuery } from './totals-sql.ts';

const accountsSql = `select s.meter, s.org, s.arch, sum(value)
  from account_month join series s on s.id = account_month.series group by 1, 2, 3`;

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
      const ranged = { ...query, from, to };
      const { text, parameters } = rowsSql(ranged);
      const found = await database.read(text, parameters);
      const page = found.slice(0, query.limit);
      const beyondEnd = found.length === 0 && query.offset > 0;
      return {
        from,
        to,
        rows: page.map((row) => usageRow(query, row)),
        total: beyondEnd ? await total(ranged) : integer(found[0]?.at(-1)),
        ...(found.length > query.limit && { nextOffset: query.offset + query.limit }),
      };
    },

    async valuesOn(day, dimension, max) {
      const rows = await database.read(valuesSql(dimension), [day, max]);
      return rows.flatMap(([value]) => text(value) ?? []);
    },

    async accounts() {
      const rows = await database.read(accountsSql);
      return rows.map(([meter, org, arch, value]) => ({
        account: { meter: text(meter) ?? '', dimensions: present({ org: text(org), arch: text(arch) }) },
        value: integer(value),
      }));
    },
  };
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

function present(values: { readonly org: string | null; readonly arch: string | null }): DimensionValues {
  return { ...(values.org !== null && { org: values.org }), ...(values.arch !== null && { arch: values.arch }) };
}

function text(value: SqlValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function integer(value: SqlValue | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}
