import {
  labelSet,
  lazily,
  type GaugeHistogramFamily,
  type GaugePoint,
  type InfoPoint,
  type LabelSet,
  type MetricFamily,
  type StateSetPoint,
  type Value,
} from '../metric/index.ts';

/** The families that Prometheus' own formats support. A counter is `bare`: its name includes the suffix. */
export type PrometheusFamily = Exclude<MetricFamily, { readonly type: 'info' | 'stateset' }>;

interface LoweringOptions {
  /** Expose creation times of counters, histograms and summaries as gauges `_created`. */
  readonly created: boolean;
  /** Expose count and sum of a gauge histogram as gauges `_gcount` and `_gsum`, for formats without that type. */
  readonly splitGaugeHistograms: boolean;
}

/**
 * Converts a family to the types of Prometheus' own formats. Its series keep their names and values. The result reads
 * the points of `family` lazily instead of copying them.
 */
export function lower(family: MetricFamily, options: LoweringOptions): readonly PrometheusFamily[] {
  const { name, help } = family;
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return [family];
    case 'counter': {
      const total = family.bare === true ? family : { ...family, name: `${name}_total`, bare: true };
      return [total, ...createdGauge(family, options)];
    }
    case 'info':
      return [{ type: 'gauge', name: `${name}_info`, help, points: mapped(family.points, infoPoints) }];
    case 'stateset':
      return [{ type: 'gauge', name, help, points: mapped(family.points, (point) => statePoints(name, point)) }];
    case 'histogram':
    case 'summary':
      return [family, ...createdGauge(family, options)];
    case 'gaugehistogram':
      return options.splitGaugeHistograms && family.bare !== true ? [family, ...gaugesOf(family)] : [family];
  }
}

type Created = Extract<MetricFamily, { readonly type: 'counter' | 'histogram' | 'summary' }>;

function createdGauge(family: Created, options: LoweringOptions): readonly PrometheusFamily[] {
  if (!options.created) return [];
  interface CreatedPoint {
    readonly labels: LabelSet;
    readonly created?: number | undefined;
    readonly timestamp?: number | undefined;
  }
  const points: Iterable<CreatedPoint> = family.points;
  return [
    {
      type: 'gauge',
      name: `${family.name}_created`,
      help: family.help,
      points: mapped(points, ({ labels, created, timestamp }) => gaugePoints(labels, created, timestamp)),
    },
  ];
}

function gaugesOf(family: GaugeHistogramFamily): readonly PrometheusFamily[] {
  const { name, help, points } = family;
  return [
    {
      type: 'gauge',
      name: `${name}_gcount`,
      help,
      points: mapped(points, ({ labels, counts, sum, timestamp }) =>
        gaugePoints(labels, sum === undefined ? undefined : counts.at(-1), timestamp),
      ),
    },
    {
      type: 'gauge',
      name: `${name}_gsum`,
      help,
      points: mapped(points, ({ labels, sum, timestamp }) => gaugePoints(labels, sum, timestamp)),
    },
  ];
}

function gaugePoints(labels: LabelSet, value: Value | undefined, timestamp: number | undefined): GaugePoint[] {
  return value === undefined ? [] : [{ labels, value, timestamp }];
}

function infoPoints(point: InfoPoint): GaugePoint[] {
  return [{ labels: point.labels.with(point.info), value: 1, timestamp: point.timestamp }];
}

function statePoints(familyName: string, point: StateSetPoint): GaugePoint[] {
  return point.states.map((state, index) => ({
    labels: point.labels.with(labelSet({ [familyName]: state })),
    value: point.on[index] === true ? 1 : 0,
    timestamp: point.timestamp,
  }));
}

function mapped<P>(points: Iterable<P>, map: (point: P) => GaugePoint[]): Iterable<GaugePoint> {
  return lazily(function* () {
    for (const point of points) yield* map(point);
  });
}
