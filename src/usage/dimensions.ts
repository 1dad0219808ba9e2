/** All dimensions of usage events, in the order of rows and sorting. */
export const dimensions = ['org', 'arch', 'upstream', 'repository', 'tag', 'outcome', 'user', 'client'] as const;
export type Dimension = (typeof dimensions)[number];

/** The dimensions of one event. An absent dimension is unknown or does not apply (`null` in JSON). */
export type DimensionValues = { readonly [D in Dimension]?: string };

/** A value in the ledger, with the organisation that it counts for. */
export interface HeldValue {
  readonly value: string;
  readonly org?: string;
  /** Whether credentials of this organisation have sent any of its usage on the day (`own`), and whether others have (`stated`). */
  readonly own: boolean;
  readonly stated: boolean;
}

/** The value that replaces all values beyond a dimension's cap. Events must not contain it. */
export const foldedValue = '__other__';

export function isDimension(name: string): name is Dimension {
  return (dimensions as readonly string[]).includes(name);
}
