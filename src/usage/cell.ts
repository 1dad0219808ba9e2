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

type AccountNames = Pick<DimensionValues, 'org' | 'arch'>;

/** The account of a series: its meter, organisation and architecture, which daily and monthly totals keep. */
export function accountOf(series: Series): Series {
  return { meter: series.meter, dimensions: accountNames(series.dimensions) };
}

/** The organisation and architecture of an account. A value that is no text is absent. */
export function accountNames({ org, arch }: { readonly org?: unknown; readonly arch?: unknown }): AccountNames {
  return { ...(typeof org === 'string' && { org }), ...(typeof arch === 'string' && { arch }) };
}

/** An account's organisation and architecture as a JSON array, so that neither can pass for the other. */
export function accountKey({ org, arch }: AccountNames): string {
  return JSON.stringify([org ?? null, arch ?? null]);
}

/** The account with this key; `undefined` for a text that `accountKey` never returns. */
export function parseAccountKey(key: string): AccountNames | undefined {
  try {
    const names: unknown = JSON.parse(key);
    const account = Array.isArray(names) ? accountNames({ org: names[0], arch: names[1] }) : {};
    return accountKey(account) === key ? account : undefined;
  } catch {
    return undefined;
  }
}

/** The values of all dimensions in their fixed order; `null` if the series does not have one. */
export function dimensionRow(values: DimensionValues): readonly (string | null)[] {
  return dimensions.map((name) => values[name] ?? null);
}
