import { TonnageError } from '../../base/index.ts';
import { dimensionRow, dimensions, type Day, type Series } from '../../usage/index.ts';
import { seenCellsKey } from '../layout.ts';

type Cell = Series & { readonly day: Day };

/** A cell as claims keep it: a JSON array of meter, day and dimensions in their order, without trailing nulls. */
export function cellText({ meter, day, dimensions: values }: Cell): string {
  const row = dimensionRow(values);
  return JSON.stringify([meter, day, ...row.slice(0, row.findLastIndex((value) => value !== null) + 1)]);
}

/** The reverse of `cellText`. Throws `store_invalid` for any other text. */
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
    // The error below shows the text.
  }
  throw invalid(text);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function invalid(text: string): TonnageError {
  return new TonnageError(
    'store_invalid',
    `a cell in a Redis hash such as ${seenCellsKey(0)}: expected a JSON array of meter, day and dimensions, got ` +
      text.slice(0, 100),
  );
}
