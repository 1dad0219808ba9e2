import type { UsageRow } from './api.ts';

/** One part of every day's bar. */
export interface Layer {
  readonly name: string;
  /** One value for each day, in the order of the days. */
  readonly values: readonly number[];
}

/** More layers would be hard to distinguish. The rest is merged. */
const layersMax = 5;

/** The name for a missing dimension. */
export const missing = '(unknown)';

/**
 * Converts rows by day and one dimension to layers of stacked bars, the largest first (at the bottom). Merges layers beyond the
 * fifth into `other`. Rounds values beyond 2^53.
 */
export function stack(rows: readonly UsageRow[], dimension: string, days: readonly string[]): Layer[] {
  const indexes = new Map(days.map((day, index) => [day, index]));
  const layers = new Map<string, number[]>();
  for (const { from, dimensions, value } of rows) {
    const index = indexes.get(from ?? '');
    if (index === undefined) continue;
    const name = dimensions[dimension] ?? missing;
    const values = layers.get(name) ?? days.map(() => 0);
    values[index] = (values[index] ?? 0) + Number(value);
    layers.set(name, values);
  }
  const sorted = [...layers].map(([name, values]) => ({ name, values })).toSorted((a, b) => sum(b) - sum(a));
  if (sorted.length <= layersMax + 1) return sorted;
  const rest = sorted.slice(layersMax);
  const other = days.map((_, index) => rest.reduce((total, { values }) => total + (values[index] ?? 0), 0));
  return [...sorted.slice(0, layersMax), { name: 'other', values: other }];
}

/** The upper edge of each layer: the sum of its values and those of all layers below. */
export function upperEdges(layers: readonly Layer[]): number[][] {
  const edges: number[][] = [];
  for (const { values } of layers) {
    const below = edges.at(-1);
    edges.push(values.map((value, index) => value + (below?.[index] ?? 0)));
  }
  return edges;
}

function sum({ values }: Layer): number {
  return values.reduce((total, value) => total + value, 0);
}
