import type {
  CounterPoint,
  GaugePoint,
  HistogramPoint,
  InfoPoint,
  LabelSet,
  StateSetPoint,
  SummaryPoint,
} from '../metric/index.ts';
import { canonicalFloat, plainFloat } from './numbers.ts';
import type { SampleName, SampleWriter } from './sample-writer.ts';

/** Writes one point. Created once per family; holds the text that the family's points share. */
export type PointWriter<P> = (point: P) => void;

export function gaugeWriter(samples: SampleWriter, familyName: string): PointWriter<GaugePoint> {
  const name = samples.name(familyName, '');
  return ({ labels, value, timestamp }) => {
    if (timestamp === undefined) samples.line(name, labels, value);
    else line(samples, name, labels, value, timestamp);
  };
}

/** `suffix`: `_total`, or empty for a counter whose name is already that of its samples. */
export function counterWriter(samples: SampleWriter, familyName: string, suffix: string): PointWriter<CounterPoint> {
  const name = samples.name(familyName, suffix);
  return (point) => {
    const { labels, value, timestamp, exemplar } = point;
    if (timestamp === undefined && exemplar === undefined) return samples.line(name, labels, value);
    samples.sample(name, labels, undefined, value);
    samples.end(timestamp, exemplar);
  };
}

/** Calls `write`, then with `created` writes `_created` if the point has a creation time. */
export function withCreated<P extends CounterPoint | HistogramPoint | SummaryPoint>(
  samples: SampleWriter,
  familyName: string,
  created: boolean,
  write: PointWriter<P>,
): PointWriter<P> {
  if (!created) return write;
  const name = samples.name(familyName, '_created');
  return (point) => {
    write(point);
    if (point.created !== undefined) line(samples, name, point.labels, point.created, point.timestamp);
  };
}

export function infoWriter(samples: SampleWriter, familyName: string): PointWriter<InfoPoint> {
  const name = samples.name(familyName, '_info');
  return (point) => {
    line(samples, name, point.labels.with(point.info), 1, point.timestamp);
  };
}

export function stateSetWriter(samples: SampleWriter, familyName: string): PointWriter<StateSetPoint> {
  const name = samples.name(familyName, '');
  return (point) => {
    for (const [index, state] of point.states.entries()) {
      samples.sample(name, point.labels, samples.label(familyName, state), point.on[index] === true ? 1 : 0);
      samples.end(point.timestamp);
    }
  };
}

/**
 * The samples in addition to the buckets, unless the family is bare. `histogram` and `gaugehistogram` (OpenMetrics):
 * count and sum, both or neither. `prometheus`: the count, and the sum if there is one. `buckets`: none.
 */
type HistogramStyle = 'histogram' | 'gaugehistogram' | 'prometheus' | 'buckets';

export function histogramWriter(
  samples: SampleWriter,
  { name, bare = false }: { readonly name: string; readonly bare?: boolean | undefined },
  style: HistogramStyle,
): PointWriter<HistogramPoint> {
  const bucket = samples.name(name, '_bucket');
  const count = samples.name(name, style === 'gaugehistogram' ? '_gcount' : '_count');
  const sum = samples.name(name, style === 'gaugehistogram' ? '_gsum' : '_sum');
  const boundLabels = labelsOf(samples, 'le', bare ? plainFloat : canonicalFloat);
  return ({ labels, bounds, counts, exemplars, sum: total, timestamp }) => {
    const les = boundLabels(bounds, true);
    for (const [index, value] of counts.entries()) {
      samples.sample(bucket, labels, les[index], value);
      samples.end(timestamp, exemplars?.[index]);
    }
    if (bare || style === 'buckets') return;
    const all = counts.at(-1) ?? 0;
    if (total !== undefined || style === 'prometheus') line(samples, count, labels, all, timestamp);
    if (total !== undefined) line(samples, sum, labels, total, timestamp);
  };
}

export function summaryWriter(samples: SampleWriter, familyName: string): PointWriter<SummaryPoint> {
  const quantile = samples.name(familyName, '');
  const count = samples.name(familyName, '_count');
  const sum = samples.name(familyName, '_sum');
  const quantileLabels = labelsOf(samples, 'quantile', canonicalFloat);
  return ({ labels, quantiles, values, count: all, sum: total, timestamp }) => {
    const marks = quantileLabels(quantiles, false);
    for (const [index, value] of values.entries()) {
      samples.sample(quantile, labels, marks[index], value);
      samples.end(timestamp);
    }
    if (all !== undefined) line(samples, count, labels, all, timestamp);
    if (total !== undefined) line(samples, sum, labels, total, timestamp);
  };
}

function line(
  samples: SampleWriter,
  name: SampleName,
  labels: LabelSet,
  value: number | bigint,
  timestamp: number | undefined,
): void {
  samples.sample(name, labels, undefined, value);
  samples.end(timestamp);
}

/** Formats labels of bounds or quantiles. Caches them, because points of one family usually share the array. */
function labelsOf(
  samples: SampleWriter,
  name: string,
  textOf: (value: number) => string,
): (numbers: readonly number[], infinity: boolean) => readonly string[] {
  let known: readonly number[] | undefined;
  let labels: readonly string[] = [];
  return (numbers, infinity) => {
    if (numbers !== known) {
      known = numbers;
      labels = [...numbers, ...(infinity ? [Infinity] : [])].map((n) => samples.label(name, textOf(n)));
    }
    return labels;
  };
}
