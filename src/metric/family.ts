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

/** A sample's value. A `bigint` is written as an integer and keeps totals beyond 2^53 exact. */
export type Value = number | bigint;

/** A link from a sample to something else, such as a trace. Its labels have at most 128 code points in total. */
export interface Exemplar {
  readonly labels: LabelSet;
  readonly value: number;
  /** Unix time in seconds. */
  readonly timestamp?: number | undefined;
}

interface Point {
  readonly labels: LabelSet;
  /** Unix time in seconds. Usually absent, because the scraper records its own time. */
  readonly timestamp?: number | undefined;
}

/** A point of a gauge or of a family whose type is unknown: any value. */
export interface GaugePoint extends Point {
  readonly value: Value;
}

/** A point of a counter: a total that never falls, never negative, never NaN. */
export interface CounterPoint extends Point {
  readonly value: Value;
  /** When the total was last 0, in Unix seconds. Exposed only with the encoder's option `created`. */
  readonly created?: number | undefined;
  readonly exemplar?: Exemplar | undefined;
}

/** A point of an info family: `labels` identify it, `info` describes it. */
export interface InfoPoint extends Point {
  readonly info: LabelSet;
}

/** A point of a state set: `states`, and in the same order whether each is on. */
export interface StateSetPoint extends Point {
  readonly states: readonly string[];
  readonly on: readonly boolean[];
}

/** One sparse exponential bucket: its index (base 2^(2^-schema)) and its count. Lists are ascending by index. */
export interface NativeBucket {
  readonly index: number;
  readonly count: number;
}

/** The native (sparse) form of a histogram, which only protobuf and OpenMetrics 2.0 can expose. */
export interface NativeHistogram {
  /** -4 to 8. Each step up doubles the number of buckets per power of two. */
  readonly schema: number;
  /** `zeroCount` counts the observations with at most this magnitude. */
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: readonly NativeBucket[];
  readonly negative: readonly NativeBucket[];
  /** The number of all observations, including NaN and infinities. */
  readonly count: number;
  readonly sum: number;
}

/** A point of a histogram or gauge histogram. */
export interface HistogramPoint extends Point {
  /** Finite upper bounds, ascending. The bucket `+Inf` is implied and is the last in `counts`. */
  readonly bounds: readonly number[];
  /** Cumulative counts, one more than `bounds`. The last is the number of all observations. */
  readonly counts: readonly Value[];
  /** Absent if a sum makes no sense; OpenMetrics then exposes neither sum nor count. */
  readonly sum?: Value | undefined;
  readonly created?: number | undefined;
  /** At most one exemplar per bucket, by position in `counts`. */
  readonly exemplars?: readonly (Exemplar | undefined)[] | undefined;
  readonly native?: NativeHistogram | undefined;
}

/** A point of a summary: `values` of the `quantiles` (0 to 1), in the same order. NaN: no recent observations. */
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
  /** Base unit in the plural. The name must end with it: `jobs_duration_seconds` has the unit `seconds`. */
  readonly unit?: string | undefined;
  /**
   * The points; each exposition iterates over them again. The points of an instrument change as it counts, so read a
   * point before the next one and do not keep it.
   */
  readonly points: Iterable<P>;
}

interface Bare {
  /**
   * Expose buckets only, never a count or a sum, and write a bound as a plain decimal number (`le="1"` instead of
   * `le="1.0"`): for compatibility with existing series. In protobuf and OpenMetrics 2.0 bounds are numbers and a
   * histogram always has a count, so this changes nothing there.
   */
  readonly bare?: boolean | undefined;
}

export type GaugeFamily = FamilyOf<'gauge', GaugePoint>;
type UnknownFamily = FamilyOf<'unknown', GaugePoint>;
export type InfoFamily = FamilyOf<'info', InfoPoint>;
type StateSetFamily = FamilyOf<'stateset', StateSetPoint>;
type HistogramFamily = FamilyOf<'histogram', HistogramPoint> & Bare;
export type GaugeHistogramFamily = FamilyOf<'gaugehistogram', HistogramPoint> & Bare;
type SummaryFamily = FamilyOf<'summary', SummaryPoint>;

export interface CounterFamily extends FamilyOf<'counter', CounterPoint> {
  /**
   * The sample name is the family's name, without `_total`: for compatibility with existing names. Prometheus formats
   * expose a counter. OpenMetrics 1.0 has no such counter and exposes the type `unknown`.
   */
  readonly bare?: boolean | undefined;
}

/** The input of an encoder and the output of a collector: metadata and points. Immutable. */
export type MetricFamily =
  | GaugeFamily
  | UnknownFamily
  | CounterFamily
  | InfoFamily
  | StateSetFamily
  | HistogramFamily
  | GaugeHistogramFamily
  | SummaryFamily;

/** Points that are created again for each exposition: `points: lazily(function* () { ... })`. */
export function lazily<P>(make: () => Iterable<P>): Iterable<P> {
  return { [Symbol.iterator]: () => make()[Symbol.iterator]() };
}
