import type { MetricFamily, MetricType } from './family.ts';
import { isLegacyMetricName, underscored } from './names.ts';

/** What the samples of each type append to the family's name (OpenMetrics 1.0, "Suffixes"). */
export const sampleSuffixes: Readonly<Record<MetricType, readonly string[]>> = {
  unknown: [''],
  gauge: [''],
  counter: ['_total', '_created'],
  stateset: [''],
  info: ['_info'],
  histogram: ['_bucket', '_sum', '_count', '_created'],
  gaugehistogram: ['_bucket', '_gsum', '_gcount'],
  summary: ['', '_sum', '_count', '_created'],
};

/** Labels that a type needs for itself and that no metric of it may have. */
export function reservedLabels(type: MetricType, familyName: string): readonly string[] {
  if (type === 'histogram' || type === 'gaugehistogram') return ['le'];
  if (type === 'summary') return ['quantile'];
  return type === 'stateset' ? [familyName] : [];
}

/**
 * Every name that a family occupies: its own and those of its samples, as a reader of legacy names sees them. Two
 * families whose names meet cannot stand in one exposition.
 */
export function occupiedNames(family: Pick<MetricFamily, 'name' | 'type'>): readonly string[] {
  const names = new Set(['', ...sampleSuffixes[family.type]].map((suffix) => family.name + suffix));
  return [...names].map((name) => underscored(name, isLegacyMetricName));
}
