/** Every dimension that a usage event can have, in the order in which rows and sorts name them. */
export const dimensions = ['org', 'arch', 'upstream', 'repository', 'tag', 'outcome', 'user', 'client'] as const;
export type Dimension = (typeof dimensions)[number];

/** The dimensions of one event. One that is absent is unknown or does not apply (`null` in JSON). */
export type DimensionValues = { readonly [D in Dimension]?: string };

/** A value that the ledger holds, with the organisation that it counts for. */
export interface HeldValue {
  readonly value: string;
  readonly org?: string;
  /** Of an organisation: all of its day was stated by credentials that are not bound to it. */
  readonly isStated?: boolean;
}

/** Value that stands for all values beyond a dimension's cap. Refused as a value from outside. */
export const foldedValue = '__other__';

export function isDimension(name: string): name is Dimension {
  return (dimensions as readonly string[]).includes(name);
}
