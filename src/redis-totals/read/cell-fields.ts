import { limits, TonnageError } from '../../base/index.ts';
import { dimensions, type Day, type Dimension } from '../../usage/index.ts';
import type { Amount, RowSums, RowValues } from '../../usage/index.ts';
import type { RedisReply } from '../../redis-link/index.ts';
import { parseAmount } from './amount.ts';
import { textOf } from '../reply.ts';

/**
 * Adds hashes of cells to sums. A field recurs for every day or month, so its group is cached. Redis lists hashes with
 * the same fields in nearly the same order, so each field is first compared with the one expected next. That takes a
 * tenth of the time of a lookup, which must hash the whole text.
 */
export class CellFields {
  readonly #sums: RowSums;
  /** All fields so far in the order of their first occurrence. `#groups` has the group of each. */
  #fields: string[] = [];
  #groups: number[] = [];
  readonly #positions = new Map<string, number>();

  constructor(sums: RowSums) {
    this.#sums = sums;
  }

  /** Adds the cells of one hash (field, value, field, value...) to the window of `day`. */
  add(day: Day, pairs: readonly RedisReply[]): void {
    const window = this.#sums.windowOf(day);
    let expected = 0;
    for (let at = 0; at < pairs.length; at += 2) {
      const field = pairs[at];
      if (field !== this.#fields[expected]) expected = this.#positionOf(textOf(field));
      this.#sums.add(window, this.#groups[expected] ?? -1, parseAmount(pairs[at + 1]));
      expected += 1;
    }
  }

  #positionOf(field: string): number {
    const known = this.#positions.get(field);
    if (known !== undefined) return known;
    if (this.#fields.length >= limits.redisDecodedFieldsMax) {
      this.#fields = [];
      this.#groups = [];
      this.#positions.clear();
    }
    const position = this.#fields.length;
    this.#fields.push(field);
    this.#groups.push(this.#sums.groupOf(parseCell(field)));
    this.#positions.set(field, position);
    return position;
  }
}

/** Calls `each` for every cell of a hash. */
export function eachCell(pairs: readonly RedisReply[], each: (values: RowValues, amount: Amount) => void): void {
  for (let at = 0; at < pairs.length; at += 2) each(parseCell(textOf(pairs[at])), parseAmount(pairs[at + 1]));
}

/**
 * Parses a field of `accountKey` or `detailField`: a JSON array of values in the order of `dimensions`.
 *
 * @throws {TonnageError} `store_invalid` for anything else
 */
function parseCell(field: string): RowValues {
  const values = parsedJson(field);
  if (!Array.isArray(values) || !values.every(isValue) || values.length > dimensions.length) {
    throw new TonnageError(
      'store_invalid',
      `a cell in Redis: expected a JSON array of strings and nulls, got ${JSON.stringify(field.slice(0, 100))}`,
    );
  }
  const named: { [D in Dimension]?: string | null } = {};
  for (const [index, name] of dimensions.entries()) named[name] = values[index] ?? null;
  return named;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isValue(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}
