import { assert, limits, TonnageError } from '../base/index.ts';
import { monthOf, type Day } from './day.ts';
import { dimensions, foldedValue, type Dimension } from './dimensions.ts';
import type { UsageAnswer, UsageQuery, UsageRow } from './query.ts';

/** Values of one cell. A dimension is absent or `null` if the events do not have it. */
export type RowValues = { readonly [D in Dimension]?: string | null };

/** Whole numbers within 2^53 are kept as `number`, which is several times faster than `bigint`. */
export type Amount = number | bigint;

/** Sums of one window, by group. */
export type WindowSums = (Amount | undefined)[];

/** The group of cells that do not match the query. */
const noMatch = -1;

/** The part of a query that determines the rows. */
export type RowsQuery = Pick<UsageQuery, 'window' | 'by' | 'where' | 'top' | 'distinct' | 'names' | 'limit' | 'offset'>;

/** The values that the cells of a row have in common. */
interface Group {
  readonly dimensions: RowValues;
  /** The values of `by`, in its order. */
  readonly key: readonly (string | null)[];
}

/** The cells of a row with one value of `distinct`. */
interface Share {
  readonly group: number;
  readonly value: string | null;
}

/** The unsorted rows of one window. */
interface WindowRows {
  readonly first: Day;
  readonly sums: WindowSums;
  /** The values of `distinct` in each row; absent if the query has no `distinct`. */
  readonly values?: readonly (ReadonlySet<string> | undefined)[];
}

/**
 * Computes the rows of an answer from cells: filters, groups, sums, sorts and paginates. The caller finds the group and
 * the window once for many cells.
 */
export class RowSums {
  readonly #query: RowsQuery;
  readonly #filters: readonly (readonly [Dimension, string | null])[];
  readonly #groups: Group[] = [];
  /** Groups by their key: the value itself if `by` has one dimension, otherwise a JSON array. */
  readonly #groupIndex = new Map<string | null, number>();
  /** For a query with `distinct`, `groupOf` returns the index of a share instead of a group. */
  readonly #shares: Share[] = [];
  readonly #shareIndex = new Map<string, number>();
  #distinctCapped = false;
  /** Sums by the first day of the window. A query for totals has one window, of day 0. */
  readonly #windows = new Map<Day, WindowSums>();

  constructor(query: RowsQuery) {
    this.#query = query;
    this.#filters = dimensions.flatMap((name) => {
      const value = query.where[name];
      return value === undefined ? [] : [[name, value] as const];
    });
  }

  /** Dimensions with values beyond a cap that share one value, if the rows do not show it. */
  get capped(): readonly Dimension[] {
    return this.#distinctCapped && this.#query.distinct ? [this.#query.distinct] : [];
  }

  /** The group of cells with these values; negative if they do not match. Throws `query_too_large`. */
  groupOf(values: RowValues): number {
    if (this.#filters.some(([name, wanted]) => (values[name] ?? null) !== wanted)) return noMatch;
    const key = this.#query.by.map((name) => values[name] ?? null);
    if (!this.#isNamed(key)) return noMatch;
    const group = this.#groupOfKey(key);
    const { distinct } = this.#query;
    return distinct === undefined ? group : this.#shareOf(group, values[distinct] ?? null);
  }

  #groupOfKey(key: Group['key']): number {
    const identity = key.length === 1 ? (key[0] ?? null) : JSON.stringify(key);
    const known = this.#groupIndex.get(identity);
    if (known !== undefined) return known;
    checkSize(this.#groups.length + 1, 'rows');
    const group = this.#groups.length;
    this.#groups.push({ dimensions: Object.fromEntries(this.#query.by.map((name, at) => [name, key[at]])), key });
    this.#groupIndex.set(identity, group);
    return group;
  }

  #shareOf(group: number, value: string | null): number {
    const identity = JSON.stringify([group, value]);
    const known = this.#shareIndex.get(identity);
    if (known !== undefined) return known;
    checkSize(this.#shares.length + 1, 'different values');
    if (value === foldedValue) this.#distinctCapped = true;
    const share = this.#shares.push({ group, value }) - 1;
    this.#shareIndex.set(identity, share);
    return share;
  }

  /** Whether a query for the names of a dimension includes this one. */
  #isNamed([value = null]: Group['key']): boolean {
    const { names } = this.#query;
    if (names === undefined) return true;
    if (value === null || !value.startsWith(names.prefix)) return false;
    return names.after === undefined || compareTexts(value, names.after) > 0;
  }

  /** The sums to which `add` adds cells of `day`. */
  windowOf(day: Day): WindowSums {
    const { window } = this.#query;
    const first = window === 'total' ? 0 : window === 'day' ? day : monthOf(day);
    let sums = this.#windows.get(first);
    if (!sums) this.#windows.set(first, (sums = []));
    return sums;
  }

  /** Adds one cell. Ignores a negative group. */
  add(window: WindowSums, group: number, amount: Amount): void {
    if (group >= 0) window[group] = plus(window[group] ?? 0, amount);
  }

  /** The requested page, and the sum of all rows. */
  page(): Pick<UsageAnswer, 'rows' | 'total' | 'nextOffset'> {
    const { limit, offset, top = Infinity } = this.#query;
    const rows: UsageRow[] = [];
    let total: Amount = 0;
    let count = 0;
    for (const [first, cells] of [...this.#windows].toSorted(([a], [b]) => a - b)) {
      const window = this.#rowsOf(first, cells);
      const found: number[] = [];
      for (const [group, value] of window.sums.entries()) {
        if (isZero(value)) continue;
        total = plus(total, value);
        found.push(group);
      }
      const length = found.length > top ? top + 1 : found.length;
      // Sort only windows with rows on this page.
      if (count + length > offset && count < offset + limit) {
        found.sort((one, other) => this.#compare(window.sums, one, other));
        rows.push(...this.#slice(window, found, Math.max(0, offset - count), offset + limit - count));
      }
      count += length;
    }
    return { rows, total: BigInt(total), ...(count > offset + limit && { nextOffset: offset + limit }) };
  }

  /** The sums of the rows and, for a query with `distinct`, the values of each row. */
  #rowsOf(first: Day, cells: WindowSums): WindowRows {
    if (this.#query.distinct === undefined) return { first, sums: cells };
    const sums: WindowSums = [];
    const values: Set<string>[] = [];
    for (const [index, amount] of cells.entries()) {
      const share = this.#shares[index];
      if (isZero(amount) || !share) continue;
      sums[share.group] = plus(sums[share.group] ?? 0, amount);
      const known = (values[share.group] ??= new Set());
      if (share.value !== null) known.add(share.value);
    }
    return { first, sums, values };
  }

  /** The rows of a window from `start` to `end`, exclusive. The last one may sum all rows beyond `top`. */
  #slice(window: WindowRows, found: readonly number[], start: number, end: number): readonly UsageRow[] {
    const { top = Infinity } = this.#query;
    const rows = found.slice(start, Math.min(end, top)).map((group) => this.#row(window, group));
    if (found.length > top && start <= top && top < end) rows.push(this.#rest(window, found.slice(top)));
    return rows;
  }

  #group(index: number): Group {
    const group = this.#groups[index];
    assert(group, `expected a group that groupOf has returned, got ${index}`);
    return group;
  }

  #row({ first, sums, values }: WindowRows, group: number): UsageRow {
    return {
      ...(this.#query.window !== 'total' && { from: first }),
      dimensions: this.#group(group).dimensions,
      value: BigInt(sums[group] ?? 0),
      ...(values && { distinct: values[group]?.size ?? 0 }),
    };
  }

  /** One row for several groups. A distinct value in two of them counts once. */
  #rest({ first, sums, values }: WindowRows, groups: readonly number[]): UsageRow {
    let value: Amount = 0;
    const all = new Set<string>();
    for (const group of groups) {
      value = plus(value, sums[group] ?? 0);
      for (const each of values?.[group] ?? []) all.add(each);
    }
    return {
      ...(this.#query.window !== 'total' && { from: first }),
      dimensions: Object.fromEntries(this.#query.by.map((name) => [name, null])),
      value: BigInt(value),
      ...(values && { distinct: all.size }),
      other: true,
    };
  }

  /** Largest first, unless the query is for names; then by the values of the dimensions. */
  #compare(sums: WindowSums, one: number, other: number): number {
    const [value, otherValue] = this.#query.names ? [0, 0] : [sums[one] ?? 0, sums[other] ?? 0];
    if (value < otherValue) return 1;
    if (value > otherValue) return -1;
    const { key } = this.#group(other);
    for (const [index, text] of this.#group(one).key.entries()) {
      const order = compareTexts(text, key[index] ?? null);
      if (order !== 0) return order;
    }
    return 0;
  }
}

/** The dimensions of a query that only details have. Accounts, which are kept for ever, have organisation and architecture. */
export function detailsIn({
  by,
  where,
  distinct,
}: Pick<UsageQuery, 'by' | 'where' | 'distinct'>): readonly Dimension[] {
  const isUsed = (name: Dimension): boolean => by.includes(name) || where[name] !== undefined || distinct === name;
  return dimensions.filter((name) => name !== 'org' && name !== 'arch' && isUsed(name));
}

/**
 * The dimensions whose values an answer does not always distinguish: `gone` with the details of some days, and those
 * whose values beyond a cap share one value (`capped`, or shown in `rows`).
 */
export function foldedDimensions(
  { by }: Pick<UsageQuery, 'by'>,
  rows: readonly UsageRow[],
  gone: readonly Dimension[],
  capped: readonly Dimension[] = [],
): readonly Dimension[] {
  const shown = by.filter((name) => rows.some((row) => row.dimensions[name] === foldedValue));
  return dimensions.filter((name) => gone.includes(name) || capped.includes(name) || shown.includes(name));
}

/** Throws `query_too_large` if a query would need too much memory. */
export function checkSize(count: number, what: string): void {
  if (count <= limits.queryCellsMax) return;
  throw new TonnageError(
    'query_too_large',
    `expected at most ${limits.queryCellsMax} ${what}, got more; ask for fewer days, or for one organisation`,
  );
}

function isZero(amount: Amount | undefined): amount is undefined | 0 | 0n {
  return amount === undefined || amount === 0 || amount === 0n;
}

/** The sum, as `bigint` only beyond 2^53. */
function plus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}

/** Compares texts as SQLite does: by their bytes in UTF-8, that is, by code points. `null` comes first. */
export function compareTexts(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const one = a.charCodeAt(at);
    const other = b.charCodeAt(at);
    if (one !== other) return byCodePoint(one) - byCodePoint(other);
  }
  return a.length - b.length;
}

/** Surrogates encode the highest code points, so they come after all other code units. */
function byCodePoint(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
