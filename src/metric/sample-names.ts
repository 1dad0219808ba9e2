import type { MetricFamily, MetricType } from './family.ts';
import { isLegacyMetricName, underscored } from './names.ts';

/** The suffixes of each type's sample names (OpenMetrics 1.0, "Suffixes"). */
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

/** Label names that a type uses itself, so metrics of that type may not have them. */
export function reservedLabels(type: MetricType, familyName: string): readonly string[] {
  if (type === 'histogram' || type === 'gaugehistogram') return ['le'];
  if (type === 'summary') return ['quantile'];
  return type === 'stateset' ? [familyName] : [];
}

/**
 * All names that a family uses, as a reader of legacy names sees them: its own and those of its samples. Two families
 * that share a name cannot be in one exposition.
 */
export function occupiedNames(family: Pick<MetricFamily, 'name' | 'type'>): readonly string[] {
  const names = new Set(['', ...sampleSuffixes[family.type]].map((suffix) => family.name + suffix));
  return [...names].map((name) => underscored(name, isLegacyMetricName));
}
