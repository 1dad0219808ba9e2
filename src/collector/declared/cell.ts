import { limits } from '../../base/index.ts';
import type { Value } from '../../metric/index.ts';
import { SourceError } from '../source-error.ts';

/** One value that a source returned. `null`: the source knows no value. */
export type Cell = null | boolean | number | bigint | string | OtherCell;

/** A value that is neither a number nor a text, such as a date. */
interface OtherCell {
  /** What it is, with its article: `a date`. */
  readonly what: string;
  /** What a label shows. Absent: a label cannot show it. */
  readonly text?: string;
}

/** Characters of a text that an error shows. */
const shownCharacters = 40;

/**
 * The number of a cell, and `null` for `null`. A boolean is 1 or 0. Throws a `SourceError` (`invalid`) for anything
 * else, including a text of digits, NaN and infinities. `place`: where the cell was, for the error.
 */
export function numberOf(cell: Cell, place: string): Value | null {
  if (cell === null || typeof cell === 'bigint') return cell;
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell === 'number' && Number.isFinite(cell)) return cell;
  throw unexpected('a number', cell, place);
}

/** The value of a label: the text of a cell, and an empty text for `null`. Throws as `numberOf`. */
export function labelOf(cell: Cell, place: string): string {
  if (cell === null) return '';
  const text = typeof cell === 'object' ? cell.text : String(cell);
  if (text === undefined) throw unexpected('the value of a label', cell, place);
  if (text.length <= limits.sourceLabelCharactersMax) return text;
  const expected = `the value of a label of at most ${limits.sourceLabelCharactersMax} characters`;
  throw new SourceError('invalid', `expected ${expected} in ${place}, got ${text.length}`, {
    kind: `${expected} in ${place}`,
  });
}

function unexpected(expected: string, cell: Cell, place: string): SourceError {
  const message = `expected ${expected} in ${place}, got ${shown(cell)}`;
  return new SourceError('invalid', message, { kind: `${expected} in ${place}` });
}

function shown(cell: Cell): string {
  if (typeof cell !== 'string') return typeof cell === 'object' && cell !== null ? cell.what : String(cell);
  const cut = cell.length > shownCharacters ? `${cell.slice(0, shownCharacters - 3)}...` : cell;
  return `the text ${JSON.stringify(cut)}`;
}

/**
 * The number that a decimal text states, such as `12.50` or `-1e3`; `undefined` if it states none. Whole numbers are
 * exact, as a `bigint` beyond 2^53. Other numbers are the nearest double.
 */
export function parseDecimal(text: string): Value | undefined {
  const whole = /^([+-]?\d+)(?:\.0*)?$/.exec(text)?.[1];
  if (whole !== undefined) return exact(BigInt(whole.replace('+', '')));
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** A whole number as a `number` if that is exact, otherwise as a `bigint`. */
export function exact(whole: bigint): Value {
  const value = Number(whole);
  return Number.isSafeInteger(value) ? value : whole;
}
