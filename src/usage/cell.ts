import { dimensions, type DimensionValues } from './dimensions.ts';
import type { Day } from './day.ts';

/** One meter with one combination of dimensions. A series has one cell per day. */
export interface Series {
  readonly meter: string;
  readonly dimensions: DimensionValues;
}

/** A quantity to add to one cell, that is, to one series on one day. */
export interface Increment extends Series {
  readonly day: Day;
  readonly quantity: bigint;
}

/** A key for a series. A JSON array, so that different series cannot have the same key. */
export function seriesKey(series: Series): string {
  const { org, arch, upstream, repository, tag, outcome, user, client } = series.dimensions;
  return JSON.stringify([series.meter, org, arch, upstream, repository, tag, outcome, user, client]);
}

/** The account of a series: its meter, organisation and architecture, which daily and monthly totals keep. */
export function accountOf(series: Series): Series {
  const { org, arch } = series.dimensions;
  return {
    meter: series.meter,
    dimensions: { ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) },
  };
}

/** An account's organisation and architecture as a JSON array, so that neither can pass for the other. */
export function accountKey({ org, arch }: DimensionValues): string {
  return JSON.stringify([org ?? null, arch ?? null]);
}

/** The values of all dimensions in their fixed order; `null` if the series does not have one. */
export function dimensionRow(values: DimensionValues): readonly (string | null)[] {
  return dimensions.map((name) => values[name] ?? null);
}
