import type { FileCounts, OnProgress, RemoteCare } from '../store/index.ts';
import {
  accountKey,
  accountNames,
  parseAccountKey,
  type Day,
  type DimensionValues,
  type Increment,
} from '../usage/index.ts';

/** More accounts than one day can have. */
const accountsMax = 100_000_000;

export interface HistoryOptions {
  readonly source: RemoteCare;
  readonly meters: readonly string[];
  readonly today: Day;
  /** Omit what other ledgers have counted: their own migrations take that along. */
  readonly withoutOthers: boolean;
  readonly onProgress?: OnProgress;
}

/**
 * Yields what a remote store has beyond the ledger file, as increments to accounts, one day at a time. An increment is negative if
 * the file has more. Days without a difference are omitted. All batches of the ledger must have been delivered.
 */
export async function* historyBeyond(own: FileCounts, options: HistoryOptions): AsyncGenerator<readonly Increment[]> {
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
      const increments = await beyondOn(own, options, meter, day);
      if (increments.length > 0) yield increments;
      onProgress?.({ work: `days of ${source.name} taken over`, done: ++done, total });
    }
  }
}

async function beyondOn(
  own: FileCounts,
  { source, today, withoutOthers }: HistoryOptions,
  meter: string,
  day: Day,
): Promise<readonly Increment[]> {
  const sums = new Map<string, { readonly dimensions: DimensionValues; quantity: bigint }>();
  const add = (dimensions: DimensionValues, quantity: bigint): void => {
    const field = accountKey(dimensions);
    const sum = sums.get(field);
    if (sum) sum.quantity += quantity;
    else sums.set(field, { dimensions, quantity });
  };
  const query = { meter, from: day, to: day + 1, window: 'total', by: ['org', 'arch'], where: {} } as const;
  const { rows } = await source.query({ ...query, limit: accountsMax, offset: 0 }, today);
  for (const { dimensions, value } of rows) add(accountNames(dimensions), value);
  for (const { dimensions, quantity } of await own.accounts({ meter, day })) add(dimensions, -quantity);
  if (withoutOthers) {
    for (const [field, value] of await source.othersDay(meter, day)) {
      // The answer of the source includes what other ledgers have counted.
      const sum = sums.get(field);
      if (sum) sum.quantity -= BigInt(value);
    }
  }
  return [...sums.values()].filter(({ quantity }) => quantity !== 0n).map((sum) => ({ meter, day, ...sum }));
}

/** The number of names whose counts of all time in a remote store exceed the sum of their days. */
export interface WithoutDay {
  readonly organisations: number;
  readonly architectures: number;
}

/**
 * Compares the sum of all time of each name in a remote store with the sum of its days: old releases of Wave counted without a
 * day. Such counts cannot be taken over. `withoutOthers`: the file does not include what other ledgers have counted.
 */
export async function countWithoutDay(
  own: FileCounts,
  { source, today, withoutOthers }: Pick<HistoryOptions, 'source' | 'today' | 'withoutOthers'>,
  meter: string,
): Promise<WithoutDay> {
  const others = withoutOthers ? await othersOfAllTime(source, meter) : [];
  const count = async (name: 'org' | 'arch'): Promise<number> => {
    const dated = await own.sumsBy(name, meter);
    for (const { dimensions, quantity } of others) {
      const value = dimensions[name];
      if (typeof value === 'string') dated.set(value, (dated.get(value) ?? 0n) + quantity);
    }
    const query = { meter, allTime: true, window: 'total', by: [name], where: {} } as const;
    const answer = await source.query({ ...query, limit: accountsMax, offset: 0 }, today);
    return answer.rows.filter(({ dimensions, value }) => {
      const known = dimensions[name];
      return typeof known === 'string' && (dated.get(known) ?? 0n) !== value;
    }).length;
  };
  return { organisations: await count('org'), architectures: await count('arch') };
}

async function othersOfAllTime(
  source: RemoteCare,
  meter: string,
): Promise<readonly Omit<Increment, 'meter' | 'day'>[]> {
  const sums: Omit<Increment, 'meter' | 'day'>[] = [];
  for (const day of await source.othersDays(meter)) {
    for (const [field, value] of await source.othersDay(meter, day)) {
      sums.push({ dimensions: parseAccountKey(field) ?? {}, quantity: BigInt(value) });
    }
  }
  return sums;
}
