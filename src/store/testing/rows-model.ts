import {
  dimensions,
  monthOf,
  type Increment,
  type UsageAnswer,
  type UsageQuery,
  type UsageRow,
} from '../../usage/index.ts';

interface ModelRow {
  readonly from?: number;
  readonly key: readonly (string | null)[];
  value: bigint;
  readonly distinct: Set<string>;
}

/** What a store must answer, worked out of all that was ever counted in the plainest way. */
export function answerOfModel(
  increments: readonly Increment[],
  query: UsageQuery,
  today: number,
): Pick<UsageAnswer, 'rows' | 'total'> {
  const matching = increments.filter((increment) => matches(increment, query, today));
  const windows = [...Map.groupBy(matching, ({ day }) => firstOf(query, day))].toSorted(([a], [b]) => a - b);
  return {
    rows: windows.flatMap(([first, ofWindow]) => rowsOf(query, first, ofWindow)),
    total: matching.reduce((sum, { quantity }) => sum + quantity, 0n),
  };
}

function matches({ meter, day, dimensions: values }: Increment, query: UsageQuery, today: number): boolean {
  if (meter !== query.meter || day < (query.from ?? -Infinity) || day >= (query.to ?? today + 1)) return false;
  if (query.names && !isNamed(values[query.by[0] ?? 'org'], query.names)) return false;
  return dimensions.every((each) => query.where[each] === undefined || query.where[each] === (values[each] ?? null));
}

function isNamed(value: string | undefined, { prefix, after }: NonNullable<UsageQuery['names']>): boolean {
  return value?.startsWith(prefix) === true && (after === undefined || compare(value, after) > 0);
}

function firstOf({ window }: UsageQuery, day: number): number {
  return { total: 0, day, month: monthOf(day) }[window];
}

function rowsOf(query: UsageQuery, first: number, increments: readonly Increment[]): readonly UsageRow[] {
  const rows = new Map<string, ModelRow>();
  for (const { dimensions: values, quantity } of increments) {
    const key = query.by.map((name) => values[name] ?? null);
    const known = rows.get(JSON.stringify(key)) ?? { key, value: 0n, distinct: new Set() };
    known.value += quantity;
    const counted = query.distinct && values[query.distinct];
    if (counted !== undefined) known.distinct.add(counted);
    rows.set(JSON.stringify(key), known);
  }
  const sorted = [...rows.values()].toSorted((a, b) => order(query, a, b));
  const { top = sorted.length } = query;
  const shown = sorted.slice(0, top).map((row) => shownRow(query, first, row));
  const rest = sorted.slice(top);
  if (rest.length === 0) return shown;
  const other = {
    key: query.by.map(() => null),
    value: rest.reduce((sum, { value }) => sum + value, 0n),
    distinct: new Set(rest.flatMap(({ distinct }) => [...distinct])),
  };
  return [...shown, { ...shownRow(query, first, other), other: true }];
}

function shownRow(query: UsageQuery, first: number, { key, value, distinct }: ModelRow): UsageRow {
  return {
    ...(query.window !== 'total' && { from: first }),
    dimensions: Object.fromEntries(query.by.map((name, index) => [name, key[index] ?? null])),
    value,
    ...(query.distinct && { distinct: distinct.size }),
  };
}

function order({ names }: UsageQuery, a: ModelRow, b: ModelRow): number {
  if (!names && a.value !== b.value) return a.value > b.value ? -1 : 1;
  for (const [index, text] of a.key.entries()) {
    const other = b.key[index] ?? null;
    if (text !== other) return compare(text, other);
  }
  return 0;
}

function compare(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
