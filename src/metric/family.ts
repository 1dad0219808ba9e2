import type { LabelSet } from './labels.ts';

/** The eight types of OpenMetrics 1.0. */
export const metricTypes = [
  'unknown',
  'gauge',
  'counter',
  'stateset',
  'info',
  'histogram',
  'gaugehistogram',
  'summary',
] as const;
export type MetricType = (typeof metricTypes)[number];

/** A sample's value. A `bigint` keeps totals beyond 2^53 exact; it is written as an integer. */
export type Value = number | bigint;

/** A pointer from a sample to something outside, such as a trace. Names and values together: 128 code points at most. */
export interface Exemplar {
  readonly labels: LabelSet;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp?: number | undefined;
}

interface Point {
  readonly labels: LabelSet;
  /** Unix time in seconds. Leave it out: a scrape knows its own time. */
  readonly timestamp?: number | undefined;
}

/** A point of a gauge or of a family whose type is unknown: any value. */
export interface GaugePoint extends Point {
  readonly value: Value;
}

/** A point of a counter: a total that never falls, never negative, never NaN. */
export interface CounterPoint extends Point {
  readonly value: Value;
  /** When the total was last 0, in Unix seconds. Exposed only if the encoder is told to. */
  readonly created?: number | undefined;
  readonly exemplar?: Exemplar | undefined;
}

/** A point of an info: labels that describe, beside those that identify. */
export interface InfoPoint extends Point {
  readonly info: LabelSet;
}

/** A point of a state set: `states` and whether each is on, in the same order. */
export interface StateSetPoint extends Point {
  readonly states: readonly string[];
  readonly on: readonly boolean[];
}

/** Sparse exponential buckets: `index` of a bucket (base 2^(2^-schema)) and what it counts. Ascending by index. */
export interface NativeBucket {
  readonly index: number;
  readonly count: number;
}

/** The native (sparse) form of a histogram, which only the protobuf format and OpenMetrics 2.0 can show. */
export interface NativeHistogram {
  /** -4 to 8: each step up doubles the number of buckets per power of two. */
  readonly schema: number;
  /** Observations whose magnitude is at most this are counted in `zeroCount`. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: readonly NativeBucket[];
  readonly negative: readonly NativeBucket[];
  /** All observations; NaN and infinities included. */
  readonly count: number;
  readonly sum: number;
}

/** A point of a histogram or gauge histogram. */
export interface HistogramPoint extends Point {
  /** Finite upper bounds, ascending. The bucket `+Inf` is implied and stands last in `counts`. */
  readonly bounds: readonly number[];
  /** Cumulative counts, one more than there are bounds: the last is the number of all observations. */
  readonly counts: readonly Value[];
  /** Absent where a sum makes no sense: OpenMetrics then shows neither sum nor count. */
  readonly sum?: Value | undefined;
  readonly created?: number | undefined;
  /** At most one exemplar per bucket, by position in `counts`. */
  readonly exemplars?: readonly (Exemplar | undefined)[] | undefined;
  readonly native?: NativeHistogram | undefined;
}

/** A point of a summary: `values` of the `quantiles` (0 to 1), in the same order; NaN without recent observations. */
export interface SummaryPoint extends Point {
  readonly quantiles: readonly number[];
  readonly values: readonly Value[];
  readonly sum?: Value | undefined;
  readonly count?: Value | undefined;
  readonly created?: number | undefined;
}

interface FamilyOf<T extends MetricType, P extends Point> {
  /** Without the suffixes of samples: `jobs`, not `jobs_total`. Encoders add them. */
  readonly name: string;
  readonly type: T;
  readonly help?: string | undefined;
  /** Base unit in the plural, also the end of the name: `jobs_duration_seconds` has the unit `seconds`. */
  readonly unit?: string | undefined;
  /**
   * The points; iterated anew for each exposition. A live family yields them one at a time out of what it counts in:
   * read a point before asking for the next, and do not keep it.
   */
  readonly points: Iterable<P>;
}

export type GaugeFamily = FamilyOf<'gauge', GaugePoint>;
export type UnknownFamily = FamilyOf<'unknown', GaugePoint>;
export type InfoFamily = FamilyOf<'info', InfoPoint>;
export type StateSetFamily = FamilyOf<'stateset', StateSetPoint>;
export type HistogramFamily = FamilyOf<'histogram', HistogramPoint>;
export type GaugeHistogramFamily = FamilyOf<'gaugehistogram', HistogramPoint>;
export type SummaryFamily = FamilyOf<'summary', SummaryPoint>;

export interface CounterFamily extends FamilyOf<'counter', CounterPoint> {
  /**
   * The sample has the family's name, without `_total`: for names that others have fixed. Prometheus formats still call
   * it a counter; OpenMetrics 1.0 has no such counter and shows the type unknown.
   */
  readonly bare?: boolean | undefined;
}

/** What a collector returns and an encoder takes: metadata and points. A value: nobody changes it. */
export type MetricFamily =
  | GaugeFamily
  | UnknownFamily
  | CounterFamily
  | InfoFamily
  | StateSetFamily
  | HistogramFamily
  | GaugeHistogramFamily
  | SummaryFamily;

/** Points that are made anew each time they are read: `points: lazily(function* () { ... })`. */
export function lazily<P>(make: () => Iterable<P>): Iterable<P> {
  return { [Symbol.iterator]: () => make()[Symbol.iterator]() };
}
