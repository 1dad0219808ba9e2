import type { NativeBucket, NativeHistogram } from '../metric/index.ts';
import { spansOf } from './native-spans.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Field numbers in `io.prometheus.client.Histogram` for the buckets of each sign. */
const negativeFields = { span: 9, delta: 10 };
const positiveFields = { span: 12, delta: 13 };

/** Writes the native part of a histogram. Readers detect it by a span or a zero threshold, so an empty one gets an empty span. */
export function writeNative(out: ProtoWriter, native: NativeHistogram): void {
  out.sint(5, native.schema);
  out.double(6, native.zeroThreshold);
  out.uint(7, native.zeroCount);
  writeBuckets(out, negativeFields, native.negative);
  writeBuckets(out, positiveFields, native.positive);
  if (native.zeroThreshold === 0 && native.count === 0) writeSpan(out, positiveFields.span, 0, 0);
}

/** Writes the spans, then each count as the difference from the previous one. */
function writeBuckets(
  out: ProtoWriter,
  fields: { readonly span: number; readonly delta: number },
  buckets: readonly NativeBucket[],
): void {
  for (const { offset, length } of spansOf(buckets)) writeSpan(out, fields.span, offset, length);
  let before = 0;
  for (const { count } of buckets) {
    out.sint(fields.delta, count - before);
    before = count;
  }
}

function writeSpan(out: ProtoWriter, field: number, offset: number, length: number): void {
  out.message(field, () => {
    out.sint(1, offset);
    out.uint(2, length);
  });
}
