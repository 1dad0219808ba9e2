import type {
  CounterPoint,
  Exemplar,
  HistogramPoint,
  MetricFamily,
  NativeBucket,
  NativeHistogram,
  SummaryPoint,
  Value,
} from '../metric/index.ts';
import { spansOf } from './native-spans.ts';
import { canonicalFloat } from './numbers.ts';
import { endOfText, writeMetadata } from './openmetrics.ts';
import { pointByPoint } from './point-by-point.ts';
import { gaugeWriter, infoWriter, stateSetWriter, type PointWriter } from './points.ts';
import type { SampleWriter } from './sample-writer.ts';

/**
 * Encodes families as OpenMetrics text 2.0.0, a release candidate: a sample has the name of its family, a histogram or
 * summary is one line, and `st@` is the start time. Yields full chunks; the writer keeps the rest.
 */
export function* encodeOpenMetrics2(
  samples: SampleWriter,
  families: Iterable<MetricFamily>,
  created: boolean,
): Generator<Uint8Array, void> {
  for (const family of families) {
    writeMetadata(samples, fullName(family), family.type, family);
    yield* writePoints(samples, family, created);
  }
  samples.out.text(endOfText);
}

/** The family's name with the suffix of its type, which is also the name of its samples. */
function fullName(family: MetricFamily): string {
  if (family.type === 'counter' && family.bare !== true) return `${family.name}_total`;
  return family.type === 'info' ? `${family.name}_info` : family.name;
}

function writePoints(samples: SampleWriter, family: MetricFamily, created: boolean): Iterable<Uint8Array> {
  const { out } = samples;
  const name = fullName(family);
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return pointByPoint(out, family.points, gaugeWriter(samples, name));
    case 'counter':
      return pointByPoint(out, family.points, counterWriter(samples, name, created));
    case 'stateset':
      return pointByPoint(out, family.points, stateSetWriter(samples, name));
    case 'info':
      return pointByPoint(out, family.points, infoWriter(samples, family.name));
    case 'histogram':
      return pointByPoint(out, family.points, histogramWriter(samples, name, '', created));
    case 'gaugehistogram':
      return pointByPoint(out, family.points, histogramWriter(samples, name, 'g', false));
    case 'summary':
      return pointByPoint(out, family.points, summaryWriter(samples, name, created));
  }
}

function counterWriter(samples: SampleWriter, name: string, created: boolean): PointWriter<CounterPoint> {
  const sample = samples.name(name, '');
  return (point) => {
    samples.sample(sample, point.labels, undefined, point.value);
    endLine(samples, point.timestamp, created ? point.created : undefined, [point.exemplar]);
  };
}

/** `prefix`: precedes `count` and `sum`; `g` for a gauge histogram. */
function histogramWriter(
  samples: SampleWriter,
  name: string,
  prefix: string,
  created: boolean,
): PointWriter<HistogramPoint> {
  const sample = samples.name(name, '');
  return (point) => {
    const { native, bounds, counts } = point;
    const fields = [
      `${prefix}count:${number(native?.count ?? counts.at(-1) ?? 0)}`,
      `${prefix}sum:${number(native?.sum ?? point.sum ?? NaN)}`,
      ...(native === undefined ? [] : nativeFields(native)),
    ];
    const buckets = counts.map((count, index) => `${canonicalFloat(bounds[index] ?? Infinity)}:${number(count)}`);
    samples.series(sample, point.labels, undefined);
    samples.out.text(`{${fields.join(',')},bucket:[${buckets.join(',')}]}`);
    endLine(samples, point.timestamp, created ? point.created : undefined, point.exemplars ?? []);
  };
}

function nativeFields(native: NativeHistogram): string[] {
  return [
    `schema:${native.schema}`,
    `zero_threshold:${number(native.zeroThreshold)}`,
    `zero_count:${native.zeroCount}`,
    ...bucketFields('negative', native.negative),
    ...bucketFields('positive', native.positive),
  ];
}

function bucketFields(sign: string, buckets: readonly NativeBucket[]): string[] {
  if (buckets.length === 0) return [];
  const spans = spansOf(buckets).map(({ offset, length }) => `${offset}:${length}`);
  const counts = buckets.map(({ count }) => String(count));
  return [`${sign}_spans:[${spans.join(',')}]`, `${sign}_buckets:[${counts.join(',')}]`];
}

function summaryWriter(samples: SampleWriter, name: string, created: boolean): PointWriter<SummaryPoint> {
  const sample = samples.name(name, '');
  return (point) => {
    const quantiles = point.quantiles.map((q, index) => `${canonicalFloat(q)}:${number(point.values[index] ?? NaN)}`);
    samples.series(sample, point.labels, undefined);
    samples.out.text(
      `{count:${number(point.count ?? 0)},sum:${number(point.sum ?? 0)},quantile:[${quantiles.join(',')}]}`,
    );
    endLine(samples, point.timestamp, created ? point.created : undefined, []);
  };
}

/** Writes timestamp, start time and exemplars. Omits exemplars without a timestamp, which the format does not allow. */
function endLine(
  samples: SampleWriter,
  timestamp: number | undefined,
  start: number | undefined,
  exemplars: readonly (Exemplar | undefined)[],
): void {
  if (timestamp !== undefined) samples.number(timestamp);
  if (start !== undefined) samples.out.text(` st@${number(start)}`);
  for (const exemplar of exemplars) {
    if (exemplar?.timestamp !== undefined) samples.exemplar(exemplar);
  }
  samples.newline();
}

function number(value: Value): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
