import { TonnageError } from '../../base/index.ts';
import { dimensionRow, dimensions, type Day, type Series } from '../../usage/index.ts';
import { seenCellsKey } from '../layout.ts';

type Cell = Series & { readonly day: Day };

/** A cell as claims have it: meter, day, and the dimensions in their order, without the nulls at their end. */
export function cellText({ meter, day, dimensions: values }: Cell): string {
  const row = dimensionRow(values);
  return JSON.stringify([meter, day, ...row.slice(0, row.findLastIndex((value) => value !== null) + 1)]);
}

/** The cell that a text stands for. Throws `store_invalid` for one that `cellText` did not write. */
export function parseCell(text: string): Cell {
  const parts = parsed(text);
  const [meter, day, ...values] = parts;
  const isRow = values.length <= dimensions.length && values.every((value) => value === null || isText(value));
  if (typeof meter !== 'string' || typeof day !== 'number' || !Number.isSafeInteger(day) || !isRow) {
    throw invalid(text);
  }
  const named = dimensions.flatMap((name, index) => {
    const value = values[index];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return { meter, day, dimensions: Object.fromEntries(named) };
}

function parsed(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    // Said below, with what came.
  }
  throw invalid(text);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function invalid(text: string): TonnageError {
  const came = text.slice(0, 100);
  return new TonnageError(
    'store_invalid',
    `expected a cell in Redis under ${seenCellsKey(0)} and the like, got ${came}`,
  );
}
