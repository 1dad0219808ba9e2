import { limits, TonnageError } from '../../base/index.ts';
import { dimensions, type Day, type Dimension } from '../../usage/index.ts';
import type { Amount, RowSums, RowValues } from '../../usage/index.ts';
import type { RedisReply } from '../../redis-link/index.ts';
import { parseAmount } from './amount.ts';
import { textOf } from './reads.ts';

/**
 * Adds hashes of cells to sums. The same field comes once for each day or month, so its group is remembered. One process
 * lists hashes with the same fields in much the same order: comparing a field with the one that is due costs a tenth of
 * looking it up, for which all of a new text must be hashed.
 */
export class CellFields {
  readonly #sums: RowSums;
  /** All fields so far, in the order in which they came first, and the group of each. */
  #fields: string[] = [];
  #groups: number[] = [];
  readonly #positions = new Map<string, number>();

  constructor(sums: RowSums) {
    this.#sums = sums;
  }

  /** Adds what one hash holds (field, value, field, value...) to the window of `day`. */
  add(day: Day, pairs: readonly RedisReply[]): void {
    const window = this.#sums.windowOf(day);
    let due = 0;
    for (let at = 0; at < pairs.length; at += 2) {
      const field = pairs[at];
      if (field !== this.#fields[due]) due = this.#positionOf(textOf(field));
      this.#sums.add(window, this.#groups[due] ?? -1, parseAmount(pairs[at + 1]));
      due += 1;
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

/** Calls `each` with the values and the amount of each cell of a hash. */
export function eachCell(pairs: readonly RedisReply[], each: (values: RowValues, amount: Amount) => void): void {
  for (let at = 0; at < pairs.length; at += 2) each(parseCell(textOf(pairs[at])), parseAmount(pairs[at + 1]));
}

/**
 * Reads a field that `accountKey` or `detailField` has made: both are the values as a JSON array, in the order of
 * `dimensions`.
 *
 * @throws {TonnageError} `store_invalid` for anything else
 */
function parseCell(field: string): RowValues {
  const values = parsedJson(field);
  if (!Array.isArray(values) || !values.every(isValue) || values.length > dimensions.length) {
    throw new TonnageError(
      'store_invalid',
      `a cell in Redis: expected a JSON array of texts and nulls, got ${JSON.stringify(field.slice(0, 100))}`,
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
