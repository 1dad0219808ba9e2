export { durationBounds, exponentialBounds, linearBounds } from './buckets.ts';
export { checkFamily } from './check-family.ts';
export type { Counter } from './counter.ts';
export { FamilyNames } from './family-names.ts';
export {
  lazily,
  metricTypes,
  type CounterFamily,
  type CounterPoint,
  type Exemplar,
  type GaugeFamily,
  type GaugeHistogramFamily,
  type GaugePoint,
  type HistogramFamily,
  type HistogramPoint,
  type InfoFamily,
  type InfoPoint,
  type MetricFamily,
  type MetricType,
  type NativeBucket,
  type NativeHistogram,
  type StateSetFamily,
  type StateSetPoint,
  type SummaryFamily,
  type SummaryPoint,
  type UnknownFamily,
  type Value,
} from './family.ts';
export type { Gauge } from './gauge.ts';
export type { Histogram } from './histogram.ts';
export type { Info } from './info.ts';
export { overflowValue, type Labelled } from './labelled.ts';
export { escapeLabelValue, LabelNames, LabelSet, labelSet, noLabels } from './labels.ts';
export { lint, lintRules, type LintFinding } from './lint/lint.ts';
export type { LintRule, LintSubject } from './lint/rule.ts';
export { MetricSet, type MetricSetOptions } from './metric-set.ts';
export { isLegacyLabelName, isLegacyMetricName } from './names.ts';
export type { NativeOptions } from './native-buckets.ts';
export type { CounterOptions, HistogramOptions, LabelOptions, MetricOptions, StateSetOptions } from './options.ts';
export { reservedLabels, sampleSuffixes } from './sample-names.ts';
export type { StateSet } from './state-set.ts';
export type { Summary } from './summary.ts';
