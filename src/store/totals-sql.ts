import type { SqlValue } from '../sqlite/index.ts';
import { dimensions, monthOf, nextMonthOf, type Day, type Dimension, type UsageQuery } from '../usage/index.ts';

export interface Sql {
  readonly text: string;
  readonly parameters: readonly SqlValue[];
}

/** The range is decided; `UsageQuery` leaves its ends open. `detailsFrom`: the first day whose details are kept. */
export type RangedQuery = UsageQuery & { readonly from: Day; readonly to: Day; readonly detailsFrom: Day };

/** The dimensions that the roll-ups keep. */
const accountDimensions: ReadonlySet<Dimension> = new Set(['org', 'arch']);

/**
 * The statement that answers `query`: its columns are the row's `from` (where there is a window), the dimensions of
 * `by`, the value and the total over all rows. One row more than `limit` is asked for, to learn whether there are more.
 */
export function rowsSql(query: RangedQuery): Sql {
  const cells = cellsSql(query);
  const filter = filterSql(query);
  const columns = [...windowColumns(query), ...query.by.map((name) => `s.${name}`)];
  const keys = columns.map((_, index) => index + 1);
  const valueColumn = columns.length + 1;
  const byDimensions = keys.slice(windowColumns(query).length);
  const order = [...keys.slice(0, windowColumns(query).length), `${valueColumn} desc`, ...byDimensions];
  return {
    text: `${cells.text}
      select ${[...columns, 'sum(value)', 'sum(sum(value)) over ()'].join(', ')}
      from cells join series s on s.id = cells.series
      where ${filter.text}
      ${keys.length > 0 ? `group by ${keys.join(', ')}` : ''}
      having sum(value) <> 0
      order by ${order.join(', ')} limit ? offset ?`,
    parameters: [...cells.parameters, ...filter.parameters, query.limit + 1, query.offset],
  };
}

/** The sum over everything that matches, for a page beyond the last row. */
export function totalSql(query: RangedQuery): Sql {
  const cells = cellsSql(query);
  const filter = filterSql(query);
  return {
    text: `${cells.text} select coalesce(sum(value), 0) from cells join series s on s.id = cells.series
      where ${filter.text}`,
    parameters: [...cells.parameters, ...filter.parameters],
  };
}

/** The first day on which the meter counted anything. */
export function firstDaySql(meter: string): Sql {
  return {
    text: `select day from account_day join series s on s.id = account_day.series where s.meter = ?
      order by day limit 1`,
    parameters: [meter],
  };
}

/** The dimensions of a question that only details can tell. */
export function detailDimensionsOf({ by, where }: UsageQuery): readonly Dimension[] {
  return dimensions.filter((name) => !accountDimensions.has(name) && (by.includes(name) || where[name] !== undefined));
}

function windowColumns(query: UsageQuery): readonly string[] {
  if (query.window === 'day') return ['cells.day'];
  if (query.window === 'month') return [`unixepoch(cells.day * 86400, 'unixepoch', 'start of month') / 86400`];
  return [];
}

function filterSql(query: UsageQuery): Sql {
  const conditions = ['s.meter = ?'];
  const parameters: SqlValue[] = [query.meter];
  for (const name of dimensions) {
    const value = query.where[name];
    if (value === undefined) continue;
    conditions.push(`s.${name} is ?`);
    parameters.push(value);
  }
  return { text: conditions.join(' and '), parameters };
}

/** The cells of the range as `cells(day, series, value)`, out of the smallest tables that can tell. */
function cellsSql(query: RangedQuery): Sql {
  const needsDetail = detailDimensionsOf(query).length > 0;
  const parts = needsDetail ? detailSlices(query) : accountSlices(query);
  return {
    text: `with cells (day, series, value) as (${parts.map(({ text }) => text).join(' union all ')})`,
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

/** Days whose details are gone are told by their roll-up, which has none of the other dimensions. */
function detailSlices({ from, to, detailsFrom }: RangedQuery): readonly Sql[] {
  if (from >= detailsFrom) return [slice('detail_day', from, to)];
  return [
    slice('account_day', from, Math.min(to, detailsFrom)),
    slice('detail_day', detailsFrom, Math.max(to, detailsFrom)),
  ];
}

/** Whole months come from the roll-up by month, the days before and after them from the one by day. */
function accountSlices({ window, from, to, allTime }: RangedQuery): readonly Sql[] {
  if (allTime) return [{ text: 'select month, series, value from account_month', parameters: [] }];
  const firstMonth = monthOf(from) === from ? from : nextMonthOf(from);
  const endMonth = monthOf(to);
  if (window === 'day' || firstMonth >= endMonth) return [slice('account_day', from, to)];
  return [
    slice('account_day', from, firstMonth),
    slice('account_month', firstMonth, endMonth),
    slice('account_day', endMonth, to),
  ];
}

function slice(table: 'detail_day' | 'account_day' | 'account_month', from: Day, to: Day): Sql {
  const period = table === 'account_month' ? 'month' : 'day';
  return {
    text: `select ${period}, series, value from ${table} where ${period} >= ? and ${period} < ?`,
    parameters: [from, to],
  };
}
