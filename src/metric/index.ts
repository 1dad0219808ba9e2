export { durationBounds } from './buckets.ts';
export { checkFamily, checkFamilySteps } from './check-family.ts';
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
  type HistogramPoint,
  type InfoFamily,
  type InfoPoint,
  type MetricFamily,
  type MetricType,
  type NativeBucket,
  type NativeHistogram,
  type StateSetPoint,
  type SummaryPoint,
  type Value,
} from './family.ts';
export type { Gauge } from './gauge.ts';
export type { Histogram } from './histogram.ts';
export type { Labelled } from './labelled.ts';
export { LabelProduct, type OptionalValue } from './label-product.ts';
export { escapeLabelValue, LabelNames, LabelSet, labelSet, noLabels } from './labels.ts';
export { lint } from './lint/lint.ts';
export { MetricSet } from './metric-set.ts';
export { isLegacyLabelName, isLegacyMetricName } from './names.ts';
export { copyPoint, seriesOf, type MetricPoint } from './points.ts';
export { reservedLabels, sampleSuffixes } from './sample-names.ts';
