import { assert, limits, TonnageError } from '../base/index.ts';
import {
  dimensions,
  foldedValue,
  monthOf,
  type Day,
  type Dimension,
  type UsageAnswer,
  type UsageQuery,
  type UsageRow,
} from '../usage/index.ts';

/** Values of one cell; a dimension that is absent or `null` is one that its events lack. */
export type RowValues = { readonly [D in Dimension]?: string | null };

/** Whole numbers within 2^53 are kept as `number`, which is several times faster than `bigint`. */
export type Amount = number | bigint;

/** Sums of one window, by group. */
export type WindowSums = (Amount | undefined)[];

/** What `groupOf` answers for cells that the question does not ask for. */
const leftOut = -1;

interface Group {
  readonly dimensions: RowValues;
  /** The values of `by`, in its order. */
  readonly key: readonly (string | null)[];
}

/**
 * Makes the rows of an answer out of cells, for stores that cannot sum on their own: filters, groups, sums, sorts and
 * pages as the SQLite store does. Cells come by group and window, each worked out once for many of them.
 */
export class RowSums {
  readonly #query: Pick<UsageQuery, 'window' | 'by' | 'where' | 'limit' | 'offset'>;
  readonly #filters: readonly (readonly [Dimension, string | null])[];
  readonly #groups: Group[] = [];
  /** By the one value of `by`, or by all of them as a JSON array. */
  readonly #groupIndex = new Map<string | null, number>();
  /** First day of the window -> group -> sum. A question for totals has one window, of day 0. */
  readonly #windows = new Map<Day, WindowSums>();

  constructor(query: Pick<UsageQuery, 'window' | 'by' | 'where' | 'limit' | 'offset'>) {
    this.#query = query;
    this.#filters = dimensions.flatMap((name) => {
      const value = query.where[name];
      return value === undefined ? [] : [[name, value] as const];
    });
  }

  /**
   * The group that cells with these values belong to; negative when the question leaves them out.
   *
   * @throws {TonnageError} `query_too_large` when there are too many of them
   */
  groupOf(values: RowValues): number {
    if (this.#filters.some(([name, wanted]) => (values[name] ?? null) !== wanted)) return leftOut;
    const key = this.#query.by.map((name) => values[name] ?? null);
    const identity = key.length === 1 ? (key[0] ?? null) : JSON.stringify(key);
    const known = this.#groupIndex.get(identity);
    if (known !== undefined) return known;
    checkSize(this.#groups.length + 1, 'rows');
    const group = this.#groups.length;
    this.#groups.push({ dimensions: Object.fromEntries(this.#query.by.map((name, at) => [name, key[at]])), key });
    this.#groupIndex.set(identity, group);
    return group;
  }

  /** What `add` writes to for cells of `day`. */
  windowOf(day: Day): WindowSums {
    const { window } = this.#query;
    const first = window === 'total' ? 0 : window === 'day' ? day : monthOf(day);
    let sums = this.#windows.get(first);
    if (!sums) this.#windows.set(first, (sums = []));
    return sums;
  }

  /** Adds one cell; nothing for a negative group. */
  add(window: WindowSums, group: number, amount: Amount): void {
    if (group >= 0) window[group] = plus(window[group] ?? 0, amount);
  }

  /** The page that the question asks for, and the sum over all rows. */
  page(): Pick<UsageAnswer, 'rows' | 'total' | 'nextOffset'> {
    const { limit, offset } = this.#query;
    const rows: UsageRow[] = [];
    let total: Amount = 0;
    let count = 0;
    for (const [first, sums] of [...this.#windows].toSorted(([a], [b]) => a - b)) {
      const found: number[] = [];
      for (const [group, value] of sums.entries()) {
        if (value === undefined || value === 0 || value === 0n) continue;
        total = plus(total, value);
        found.push(group);
      }
      // Only windows that reach into the page are put in order.
      if (count + found.length > offset && count < offset + limit) {
        found.sort((one, other) => this.#compare(sums, one, other));
        const page = found.slice(Math.max(0, offset - count), offset + limit - count);
        for (const group of page) rows.push(this.#row(first, group, sums[group] ?? 0));
      }
      count += found.length;
    }
    return { rows, total: BigInt(total), ...(count > offset + limit && { nextOffset: offset + limit }) };
  }

  #group(index: number): Group {
    const group = this.#groups[index];
    assert(group, `group ${index} has been asked for before`);
    return group;
  }

  #row(first: Day, group: number, value: Amount): UsageRow {
    const { dimensions: values } = this.#group(group);
    if (this.#query.window === 'total') return { dimensions: values, value: BigInt(value) };
    return { from: first, dimensions: values, value: BigInt(value) };
  }

  /** The largest first, then by the values of the dimensions. */
  #compare(sums: WindowSums, one: number, other: number): number {
    const [value, otherValue] = [sums[one] ?? 0, sums[other] ?? 0];
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

/**
 * The dimensions that an answer does not tell apart everywhere: `gone` with the details of some days, others because
 * values beyond their cap share one.
 */
export function foldedDimensions(
  { by }: Pick<UsageQuery, 'by'>,
  rows: readonly UsageRow[],
  gone: readonly Dimension[],
): readonly Dimension[] {
  const capped = by.filter((name) => rows.some((row) => row.dimensions[name] === foldedValue));
  return dimensions.filter((name) => gone.includes(name) || capped.includes(name));
}

/**
 * Refuses a question that would need more memory than one may take.
 *
 * @throws {TonnageError} `query_too_large`
 */
export function checkSize(count: number, what: string): void {
  if (count <= limits.queryCellsMax) return;
  throw new TonnageError(
    'query_too_large',
    `expected at most ${limits.queryCellsMax} ${what}, got more; ask for fewer days, or for one organisation`,
  );
}

/** The sum, as `bigint` only where it must be. */
function plus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return BigInt(a) + BigInt(b);
}

/** Orders texts as SQLite does: by their bytes in UTF-8, which is by code points, and what is absent before all. */
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

/** Surrogates, of which UTF-16 makes the highest code points, go behind all other code units. */
function byCodePoint(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
