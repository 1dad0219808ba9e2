import type { Day } from '../../usage/index.ts';
import { nextSeriesId } from '../journal/series-ids.ts';

/** A table of accounts: its sums (`held`) and the right ones (`due`), as rows of (period, meter, org, arch, value). */
interface SumTable {
  readonly table: 'account_day' | 'account_month';
  readonly period: 'day' | 'month';
  readonly held: string;
  readonly due: string;
  /** The rows that can be compared and rebuilt: not those of days whose details are gone. */
  readonly sound: string;
}

const month = `unixepoch(day * 86400, 'unixepoch', 'start of month') / 86400`;

function sums(table: string, period: string, where = ''): string {
  return `select ${period} as period, s.meter, s.org, s.arch, sum(value) as value
    from ${table} join series s on s.id = ${table}.series ${where} group by 1, 2, 3, 4`;
}

/** The tables of a ledger whose details are kept from `detailsFrom` on, in the order in which they are made. */
export function sumTables(detailsFrom: Day): readonly SumTable[] {
  // Safe to insert into the SQL text: it is a number.
  const kept = `where day >= ${Math.trunc(detailsFrom)}`;
  return [
    {
      table: 'account_day',
      period: 'day',
      held: sums('account_day', 'day', kept),
      due: sums('detail_day', 'day', kept),
      sound: kept,
    },
    {
      table: 'account_month',
      period: 'month',
      held: sums('account_month', 'month'),
      due: sums('account_day', month),
      sound: '',
    },
  ];
}

/** Counts the rows that only `held` has, and those that only `due` has. */
export function differencesSql({ held, due }: SumTable): string {
  // A sum of 0 is the same as no row.
  return `with held as (select * from (${held}) where value <> 0), due as (select * from (${due}) where value <> 0)
    select (select count(*) from (select * from held except select * from due)),
      (select count(*) from (select * from due except select * from held))`;
}

/** Rebuilds the values of a table, keeps the other columns of its rows, and creates missing series. */
export function rebuildSql({ table, period, due, sound }: SumTable): readonly string[] {
  const key = (row: string) => `json_array(${row}meter, ${row}org, ${row}arch, null, null, null, null, null, null)`;
  return [
    `update ${table} set value = 0 ${sound}`,
    `insert into series (id, key, meter, org, arch)
      select ${nextSeriesId} + row_number() over (), ${key('')}, meter, org, arch
      from (select meter, org, arch from (${due}) group by 1, 2, 3) as due
      where not exists (select 1 from series s where s.key = ${key('due.')})`,
    `insert into ${table} (${period}, series, value)
      select due.period, s.id, due.value from (${due}) due join series s on s.key = ${key('due.')} where true
      on conflict (${period}, series) do update set value = excluded.value`,
    `delete from ${table} ${sound === '' ? 'where' : `${sound} and`} value = 0`,
  ];
}
