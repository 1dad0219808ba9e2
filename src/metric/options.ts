import { limits } from '../base/index.ts';
import type { Value } from './family.ts';
import { misuse, shown } from './misuse.ts';
import type { NativeOptions } from './native-buckets.ts';

/** What every instrument is told. */
export interface MetricOptions {
  /** The family's name without the suffix of its type: a counter `jobs` exposes `jobs_total`. */
  readonly name: string;
  /** One sentence that says what is counted. */
  readonly help: string;
  /** Base unit in the plural (`seconds`, `bytes`, `ratio`); the name must end with it. */
  readonly unit?: string;
}

export interface CounterOptions extends MetricOptions {
  /** Expose the name as it is, without `_total`: see `CounterFamily.bare`. */
  readonly bare?: boolean;
}

export interface HistogramOptions extends MetricOptions {
  /** Finite upper bounds, ascending; `+Inf` is implied. Default: `durationBounds`. */
  readonly buckets?: readonly number[];
  /** Keep sparse exponential buckets too, for the formats that show them. */
  readonly native?: NativeOptions;
}

export interface StateSetOptions<State extends string> extends Omit<MetricOptions, 'unit'> {
  readonly states: readonly [State, ...State[]];
}

/** Added to the options of an instrument that has labels. */
export interface LabelOptions<Name extends string> {
  readonly labels: readonly [Name, ...Name[]];
  readonly read?: undefined;
  /** Series kept; further label sets share one overflow series. Default: `limits.metricSeriesMax`. */
  readonly seriesMax?: number;
}

/** Added to the options of an instrument that has none. */
export interface NoLabelOptions {
  readonly labels?: undefined;
  readonly read?: undefined;
}

/** Added to the options of a gauge or counter whose value something else keeps. */
export interface ReadOptions {
  /** Called at each scrape. If it throws, the family is left out of that scrape. */
  readonly read: () => Value;
}

/** The series cap of an instrument with labels. */
export function seriesMaxOf(subject: string, seriesMax: number | undefined): number {
  const max = seriesMax ?? limits.metricSeriesMax;
  if (!Number.isInteger(max) || max < 1) misuse(subject, `expected seriesMax of at least 1, got ${shown(max)}`);
  return max;
}
