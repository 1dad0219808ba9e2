import { dimensions, type DimensionValues } from './dimensions.ts';
import type { Day } from './day.ts';

/** One combination of dimensions of one meter: what a cell is on every day that it was used. */
export interface Series {
  readonly meter: string;
  readonly dimensions: DimensionValues;
}

/** What is added to one cell, that is to one series on one day. */
export interface Increment extends Series {
  readonly day: Day;
  readonly quantity: bigint;
}

/**
 * A text that two series share only when they are the same: the values as a JSON array, so that no value can pass for
 * another by what it contains.
 */
export function seriesKey(series: Series): string {
  const { org, arch, upstream, repository, tag, outcome, user, client } = series.dimensions;
  return JSON.stringify([series.meter, org, arch, upstream, repository, tag, outcome, user, client]);
}

/** The series that a day's and a month's roll-up keep: meter, organisation and architecture alone. */
export function accountOf(series: Series): Series {
  const { org, arch } = series.dimensions;
  return {
    meter: series.meter,
    dimensions: { ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) },
  };
}

/** The values of all dimensions in their fixed order, `null` where the series lacks one. */
export function dimensionRow(values: DimensionValues): readonly (string | null)[] {
  return dimensions.map((name) => values[name] ?? null);
}
