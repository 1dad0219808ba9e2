import { limits } from '../base/index.ts';
import type { MetricFamily, Value } from './family.ts';
import { checkLabelNames } from './labels.ts';
import { misuse, shown } from './misuse.ts';
import type { NativeOptions } from './native-buckets.ts';
import { reservedLabels } from './sample-names.ts';

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

/** Refuses names that a strict reader would refuse, or that say something else than the type does. */
export function checkNames(family: MetricFamily, labels: readonly string[]): void {
  const subject = `${family.type} ${family.name}`;
  if (family.name === '' || !family.name.isWellFormed()) misuse(subject, 'expected a name of UTF-8 text');
  if (family.name.startsWith('_')) misuse(subject, 'names that begin with an underscore are reserved');
  if (family.type === 'counter' && family.name.endsWith('_total')) {
    misuse(subject, 'expected the name without _total, which the sample gets by itself');
  }
  if (family.type === 'info' && family.name.endsWith('_info')) {
    misuse(subject, 'expected the name without _info, which the sample gets by itself');
  }
  checkUnit(subject, family);
  checkLabelNames(subject, labels, reservedLabels(family.type, family.name));
}

function checkUnit(subject: string, family: MetricFamily): void {
  const { unit = '', type, name } = family;
  if (unit === '') return;
  if (type === 'info' || type === 'stateset') misuse(subject, `has no unit by its type, got ${shown(unit)}`);
  if (!name.endsWith(`_${unit}`)) misuse(subject, `expected a name that ends with its unit, _${unit}`);
}

/** The series cap of an instrument with labels. */
export function seriesMaxOf(subject: string, seriesMax: number | undefined): number {
  const max = seriesMax ?? limits.metricSeriesMax;
  if (!Number.isInteger(max) || max < 1) misuse(subject, `expected seriesMax of at least 1, got ${shown(max)}`);
  return max;
}
