/** Every dimension that a usage event can have, in the order in which rows and sorts name them. */
export const dimensions = ['org', 'arch', 'upstream', 'repository', 'tag', 'outcome', 'user', 'client'] as const;
export type Dimension = (typeof dimensions)[number];

/** The dimensions of one event. One that is absent is unknown or does not apply (`null` in JSON). */
export type DimensionValues = { readonly [D in Dimension]?: string };

/** A value that the ledger holds, with the organisation that it counts for. */
export interface HeldValue {
  readonly value: string;
  readonly org?: string;
  /** Whether credentials of this organisation have sent any of what it has on the day, and whether others stated any. */
  readonly own: boolean;
  readonly stated: boolean;
}

/** Value that stands for all values beyond a dimension's cap. Refused as a value from outside. */
export const foldedValue = '__other__';

export function isDimension(name: string): name is Dimension {
  return (dimensions as readonly string[]).includes(name);
}
