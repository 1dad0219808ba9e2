import type { Database, SqlValue } from '../../sqlite/index.ts';
import { accountNames, dimensions, type Day, type Increment } from '../../usage/index.ts';
import type { ErasedNames, FileCounts, MeterDay, NamedCounts } from '../../store/index.ts';
import { careRead, readFacts } from '../facts.ts';
import { valuesOf } from '../journal/series-ids.ts';

type Reads = Pick<Database, 'read'>;

/** Cells read at a time. */
const cellsPerPage = 10_000;

/** As `LedgerReader.counts`. */
export async function fileCounts(database: Reads, meters: readonly string[]): Promise<FileCounts> {
  const days = await meterDays(database);
  const inFile = await database.read('select distinct meter from series', [], careRead);
  const accounts = (day: MeterDay) => accountRows(database, 'account_day', 'day', day);
  return {
    meters: [...new Set([...meters, ...inFile.map(([meter]) => String(meter))])],
    dayCount: days.length,
    async *days() {
      for (const day of days) yield { ...day, accounts: await accounts(day) };
    },
    details: (meter, day) => detailPages(database, meter, day),
    accounts,
    monthAccounts: (month) => accountRows(database, 'account_month', 'month', month),
    sumsBy: (name, meter) => sumsBy(database, name, meter),
  };
}

/** All days of each meter, in order. */
async function meterDays(database: Reads): Promise<readonly MeterDay[]> {
  const rows = await database.read(
    'select distinct s.meter, day from account_day join series s on s.id = account_day.series order by 1, 2',
    [],
    careRead,
  );
  return rows.map(([meter, day]) => ({ meter: String(meter), day: Number(day) }));
}

async function accountRows(
  database: Reads,
  table: string,
  period: string,
  { meter, day }: MeterDay,
): Promise<readonly Increment[]> {
  const rows = await database.read(
    `select s.org, s.arch, value from ${table} join series s on s.id = ${table}.series
      where ${period} = ? and s.meter = ? and value <> 0`,
    [day, meter],
    careRead,
  );
  return rows.map(([org, arch, value]) => ({
    meter,
    day,
    quantity: BigInt(String(value)),
    dimensions: accountNames({ org, arch }),
  }));
}

async function sumsBy(database: Reads, name: 'org' | 'arch', meter: string): Promise<Map<string, bigint>> {
  const rows = await database.read(
    `select s.${name}, value from account_month join series s on s.id = account_month.series where s.meter = ?`,
    [meter],
    careRead,
  );
  const sums = new Map<string, bigint>();
  for (const [value, quantity] of rows) {
    if (typeof value === 'string') sums.set(value, (sums.get(value) ?? 0n) + BigInt(String(quantity)));
  }
  return sums;
}

async function* detailPages(database: Reads, meter: string, day: Day): AsyncGenerator<readonly Increment[]> {
  const columns = dimensions.map((name) => `s.${name}`).join(', ');
  const sql = `select series, value, ${columns} from detail_day join series s on s.id = detail_day.series
    where day = ? and series > ? and s.meter = ? and value <> 0 order by series limit ?`;
  for (let after = 0; ;) {
    const rows = await database.read(sql, [day, after, meter, cellsPerPage], careRead);
    if (rows.length > 0) yield rows.map((row) => detailOf(meter, day, row));
    if (rows.length < cellsPerPage) return;
    after = Number(rows.at(-1)?.[0]);
  }
}

function detailOf(meter: string, day: Day, [, value, ...values]: readonly SqlValue[]): Increment {
  return { meter, day, quantity: BigInt(String(value)), dimensions: valuesOf(values) };
}

/** As `LedgerReader.countNamed`. */
export async function countNamed(database: Reads, names: ErasedNames): Promise<NamedCounts> {
  const { detailsFrom } = await readFacts(database);
  const ids = `(select id from series where ${names.dimension} in (${names.values.map(() => '?').join(', ')}))`;
  const [row] = await database.read(`select count(*) from series where id in ${ids}`, names.values, careRead);
  // In two halves, because the total may overflow 64 bits.
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
