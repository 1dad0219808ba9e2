/** What a roll-up is, and what it must be the sum of; both as (period, meter, org, arch, value). */
interface RollUp {
  readonly table: 'account_day' | 'account_month';
  readonly period: 'day' | 'month';
  readonly held: string;
  readonly due: string;
}

const month = `unixepoch(day * 86400, 'unixepoch', 'start of month') / 86400`;

function sums(table: string, period: string): string {
  return `select ${period} as period, s.meter, s.org, s.arch, sum(value) as value
    from ${table} join series s on s.id = ${table}.series group by 1, 2, 3, 4`;
}

export const rollUps: readonly RollUp[] = [
  { table: 'account_day', period: 'day', held: sums('account_day', 'day'), due: sums('detail_day', 'day') },
  { table: 'account_month', period: 'month', held: sums('account_month', 'month'), due: sums('account_day', month) },
];

/** Rows of a roll-up that are not the sum of what they stand for: how many, on either side. */
export function differencesSql({ held, due }: RollUp): string {
  return `with held as (${held}), due as (${due})
    select (select count(*) from (select * from held except select * from due)),
      (select count(*) from (select * from due except select * from held))`;
}

/** Empties a roll-up and fills it anew. Its series are there already, or are made from those of the details. */
export function rebuildSql({ table, period, due }: RollUp): readonly string[] {
  return [
    `delete from ${table}`,
    `insert into series (key, meter, org, arch)
      select json_array(meter, org, arch, null, null, null, null, null, null), meter, org, arch from (${due})
      where true group by 2, 3, 4 on conflict (key) do nothing`,
    `insert into ${table} (${period}, series, value)
      select due.period, s.id, due.value from (${due}) due
      join series s on s.key = json_array(due.meter, due.org, due.arch, null, null, null, null, null, null)`,
  ];
}
