import { limits } from '../base/index.ts';
import type { Value } from './family.ts';
import { misuse, shown } from './misuse.ts';
import type { NativeOptions } from './native-buckets.ts';

/** Options of every instrument. */
export interface MetricOptions {
  /** The family's name without the suffix of its type: a counter `jobs` exposes `jobs_total`. */
  readonly name: string;
  /** One sentence about the metric. */
  readonly help: string;
  /** Base unit in the plural (`seconds`, `bytes`, `ratio`). The name must end with it. */
  readonly unit?: string;
}

export interface CounterOptions extends MetricOptions {
  /** Expose the name without `_total`: see `CounterFamily.bare`. */
  readonly bare?: boolean;
}

export interface HistogramOptions extends MetricOptions {
  /** Finite upper bounds, ascending; `+Inf` is implied. Default: `durationBounds`. */
  readonly buckets?: readonly number[];
  /** Also keep sparse exponential buckets, for the formats that support them. */
  readonly native?: NativeOptions;
}

export interface StateSetOptions<State extends string> extends Omit<MetricOptions, 'unit'> {
  readonly states: readonly [State, ...State[]];
}

/** Further options of an instrument with labels. */
export interface LabelOptions<Name extends string> {
  readonly labels: readonly [Name, ...Name[]];
  readonly read?: undefined;
  /** The most series; further label sets share one overflow series. Default: `limits.metricSeriesMax`. */
  readonly seriesMax?: number;
}

/** Further options of an instrument without labels. */
export interface NoLabelOptions {
  readonly labels?: undefined;
  readonly read?: undefined;
}

/** Further options of a gauge or counter whose value is kept elsewhere. */
export interface ReadOptions {
  /** Called at each scrape. If it throws, the scrape omits the family. */
  readonly read: () => Value;
}

/** The most series of an instrument with labels. Throws (`BUG:`) unless `seriesMax` is a positive integer. */
export function seriesMaxOf(subject: string, seriesMax: number | undefined): number {
  const max = seriesMax ?? limits.metricSeriesMax;
  if (!Number.isInteger(max) || max < 1) misuse(subject, `expected seriesMax of at least 1, got ${shown(max)}`);
  return max;
}
