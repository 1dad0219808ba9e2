/** The types of the metrics that a configuration can declare. */
export const declaredTypes = ['gauge', 'counter', 'unknown', 'info', 'histogram', 'gaugehistogram'] as const;

interface MetricFields<Place> {
  readonly type: (typeof declaredTypes)[number];
  readonly help: string;
  readonly unit?: string;
  /** Labels whose values come from the source, by name. */
  readonly labels: Readonly<Record<string, Place>>;
  /** Labels with a fixed value, by name. */
  readonly staticLabels: Readonly<Record<string, string>>;
  /** Where the value is. Absent for `info` and for histograms. */
  readonly value?: Place;
  /** Histograms: where the number of all observations is. */
  readonly count?: Place;
  /** Histograms: where the sum of all observations is. Absent: the histogram has none. */
  readonly sum?: Place;
}

/** A metric as the configuration states it. `Place` says where one value is: a column of the rows, or a path below a node. */
export interface StatedMetric<Place> extends MetricFields<Place> {
  /** The name of the family, or that of its samples (with `_total` or `_info`). */
  readonly name: string;
  /** Histograms: where the cumulative count of each finite upper bound is. */
  readonly buckets?: Readonly<Record<string, Place>>;
}

/** A metric in the terms of the metric model. */
export interface DeclaredMetric<Place> extends MetricFields<Place> {
  /** The name of the family. */
  readonly name: string;
  /** By ascending upper bound. Empty for other types than histograms. */
  readonly buckets: readonly { readonly le: number; readonly place: Place }[];
}

/** What encoders add to the name of a family, by its type. A stated name may have it. */
const suffixes: Readonly<Record<string, string>> = { counter: '_total', info: '_info' };

/** Converts a metric of the configuration, which is valid. */
export function declaredMetric<Place>(stated: StatedMetric<Place>): DeclaredMetric<Place> {
  const { name, type, buckets = {} } = stated;
  const suffix = suffixes[type] ?? '';
  const ascending = Object.entries(buckets)
    .map(([le, place]) => ({ le: Number(le), place }))
    .sort((left, right) => left.le - right.le);
  return {
    ...stated,
    name: name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name,
    buckets: ascending,
  };
}

/** Names and label names of the metrics of one source, for the check that no two sources give the same series. */
export function familiesOf(metrics: readonly StatedMetric<unknown>[]) {
  return metrics.map((stated) => {
    const { name, labels, staticLabels } = declaredMetric(stated);
    return { name, labels: [...Object.keys(staticLabels), ...Object.keys(labels)] };
  });
}
