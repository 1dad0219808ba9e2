import type { Database } from '../../sqlite/index.ts';
import type { Day, DimensionValues, Increment } from '../../usage/index.ts';
import { accountField } from '../redis/layout.ts';
import { careRead } from './file.ts';
import { accountsOf } from './own-counts.ts';
import type { OnProgress, RemoteCare } from './remote.ts';

type Reads = Pick<Database, 'read'>;

/** More accounts than a day can have. */
const accountsMax = 100_000_000;

export interface HistoryOptions {
  readonly source: RemoteCare;
  readonly meters: readonly string[];
  readonly today: Day;
  /** Leaves out what other ledgers have counted: they take that along themselves. */
  readonly withoutOthers: boolean;
  readonly onProgress?: OnProgress;
}

/**
 * What a store elsewhere answers beyond what the ledger file has: accounts, day by day, as increments that make up the
 * difference (negative where the file has more). Nothing where all is there already. All that the ledger has counted
 * itself must have been delivered.
 */
export async function* historyBeyond(database: Reads, options: HistoryOptions): AsyncGenerator<readonly Increment[]> {
  const { source, meters, withoutOthers, onProgress } = options;
  const days = await Promise.all(
    meters.map(async (meter) => {
      const foreign = await source.foreignDays(meter);
      const others = withoutOthers ? [] : await source.othersDays(meter);
      return { meter, days: [...new Set([...foreign, ...others])].toSorted((a, b) => a - b) };
    }),
  );
  const total = days.reduce((sum, { days: { length } }) => sum + length, 0);
  let done = 0;
  for (const { meter, days: ofMeter } of days) {
    for (const day of ofMeter) {
      const increments = await beyondOn(database, options, meter, day);
      if (increments.length > 0) yield increments;
      onProgress?.({ work: `days of ${source.name} taken over`, done: ++done, total });
    }
  }
}

async function beyondOn(
  database: Reads,
  { source, today, withoutOthers }: HistoryOptions,
  meter: string,
  day: Day,
): Promise<readonly Increment[]> {
  const sums = new Map<string, { readonly dimensions: DimensionValues; quantity: bigint }>();
  const add = (dimensions: DimensionValues, quantity: bigint): void => {
    const field = accountField(dimensions);
    const sum = sums.get(field);
    if (sum) sum.quantity += quantity;
    else sums.set(field, { dimensions, quantity });
  };
  const query = { meter, from: day, to: day + 1, window: 'total', by: ['org', 'arch'], where: {} } as const;
  const { rows } = await source.query({ ...query, limit: accountsMax, offset: 0 }, today);
  for (const { dimensions, value } of rows) add(named(dimensions.org, dimensions.arch), value);
  for (const { dimensions, quantity } of await accountsOf(database, { meter, day })) add(dimensions, -quantity);
  if (withoutOthers) {
    for (const [field, value] of await source.othersDay(meter, day)) {
      // Whatever they have counted is in the answer of the source.
      const sum = sums.get(field);
      if (sum) sum.quantity -= BigInt(value);
    }
  }
  return [...sums.values()].filter(({ quantity }) => quantity !== 0n).map((sum) => ({ meter, day, ...sum }));
}

function named(org: string | null | undefined, arch: string | null | undefined): DimensionValues {
  return { ...(typeof org === 'string' && { org }), ...(typeof arch === 'string' && { arch }) };
}

/**
 * How many organisations have another sum over all time in a store elsewhere than the ledger file has over all days: a
 * Wave of old may have counted there without a day. Such counts cannot be taken over.
 */
export async function countWithoutDay(database: Reads, source: RemoteCare, meter: string, today: Day): Promise<number> {
  const rows = await database.read(
    `select s.org, sum(value) from account_month join series s on s.id = account_month.series
      where s.meter = ? and s.org is not null group by 1`,
    [meter],
    careRead,
  );
  const here = new Map(rows.map(([org, sum]) => [String(org), BigInt(String(sum))]));
  const query = { meter, allTime: true, window: 'total', by: ['org'], where: {} } as const;
  const answer = await source.query({ ...query, limit: accountsMax, offset: 0 }, today);
  return answer.rows.filter(
    ({ dimensions: { org }, value }) => typeof org === 'string' && (here.get(org) ?? 0n) !== value,
  ).length;
}
