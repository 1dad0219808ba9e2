import { ParseError } from './parse-error.ts';
import type { ParsedSample } from './sample-line.ts';

interface HistogramNames {
  readonly count: string;
  readonly sum: string;
  /** True for a gauge histogram: its sum may be negative, and it may have both a sum and negative bounds. */
  readonly mayFall: boolean;
}

/** Checks one point of a histogram (OpenMetrics 1.0, "Histogram" and "GaugeHistogram"). Throws `ParseError`. */
export function checkHistogramPoint(name: string, names: HistogramNames, samples: readonly ParsedSample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  checkBuckets(name, buckets, samples);
  const last = buckets.at(-1);
  const count = samples.find((sample) => sample.name === names.count);
  const sum = samples.find((sample) => sample.name === names.sum);
  if (count !== undefined && sum === undefined) fail(count, `${names.count} without ${names.sum}`);
  if (sum !== undefined && count === undefined) fail(sum, `${names.sum} without ${names.count}`);
  if (count !== undefined && last !== undefined && Number(count.value) !== Number(last.value)) {
    fail(count, `${names.count} is ${count.value}, but the bucket +Inf is ${last.value}`);
  }
  if (sum === undefined) return;
  const negativeBounds = buckets.some((bucket) => boundOf(bucket) < 0);
  if (negativeBounds && !names.mayFall) fail(sum, `${names.sum} with negative bounds`);
  if (!negativeBounds && Number(sum.value) < 0) fail(sum, `${names.sum} is negative without negative bounds`);
}

/** Bounds must ascend and end with `+Inf`; counts must not fall. */
function checkBuckets(name: string, buckets: readonly ParsedSample[], samples: readonly ParsedSample[]): void {
  for (const [index, bucket] of buckets.entries()) {
    const before = buckets[index - 1];
    if (before === undefined) continue;
    if (boundOf(bucket) <= boundOf(before)) {
      fail(bucket, `expected ascending buckets, got le ${boundOf(bucket)} after ${boundOf(before)}`);
    }
    if (bucket.value < before.value) {
      fail(bucket, `expected cumulative bucket counts, got ${bucket.value} after ${before.value}`);
    }
  }
  const last = buckets.at(-1) ?? samples[0];
  if (last !== undefined && boundOf(last) !== Infinity) fail(last, `${name} has no bucket le="+Inf"`);
}

function boundOf(sample: ParsedSample): number {
  const text = sample.labels.find((label) => label.name === 'le')?.value;
  return text === '+Inf' ? Infinity : Number(text ?? NaN);
}

function fail(sample: ParsedSample, reason: string): never {
  throw new ParseError(sample.line, 1, reason);
}
