import type { Database, SqlValue } from '../sqlite/index.ts';
import { dimensions, type Day, type Increment } from '../usage/index.ts';
import type { MeterDay, OwnCounts } from '../store/index.ts';
import { valuesOf } from '../ledger-file/index.ts';

import { careRead } from '../ledger-file/index.ts';

type Reads = Pick<Database, 'read'>;

/** Cells read at a time. */
const cellsPerPage = 10_000;

/** All that a ledger file has counted, to be read day by day. */
export interface FileCounts extends OwnCounts {
  /** How many days of meters there are. */
  readonly dayCount: number;
}

/** Everything in a ledger file, as of now; `meters` are those that it may have counted for, beside those in the file. */
export async function fileCounts(database: Reads, meters: readonly string[]): Promise<FileCounts> {
  const days = await meterDays(database);
  const inFile = await database.read('select distinct meter from series', [], careRead);
  return {
    meters: [...new Set([...meters, ...inFile.map(([meter]) => String(meter))])],
    dayCount: days.length,
    async *days() {
      for (const day of days) yield { ...day, accounts: await accountsOf(database, day) };
    },
    details: (meter, day) => detailPages(database, meter, day),
  };
}

/** By meter, its days in their order. */
async function meterDays(database: Reads): Promise<readonly MeterDay[]> {
  const rows = await database.read(
    'select distinct s.meter, day from account_day join series s on s.id = account_day.series order by 1, 2',
    [],
    careRead,
  );
  return rows.map(([meter, day]) => ({ meter: String(meter), day: Number(day) }));
}

/** What each account has counted on a day; none that is 0. */
export async function accountsOf(database: Reads, { meter, day }: MeterDay): Promise<readonly Increment[]> {
  return accountRows(database, 'account_day', 'day', { meter, day });
}

/** The same of a month, told by its first day. */
export async function accountsOfMonth(database: Reads, meter: string, month: Day): Promise<readonly Increment[]> {
  return accountRows(database, 'account_month', 'month', { meter, day: month });
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
    dimensions: { ...(typeof org === 'string' && { org }), ...(typeof arch === 'string' && { arch }) },
  }));
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
