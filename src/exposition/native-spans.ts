import type { NativeBucket } from '../metric/index.ts';

/** A span of consecutive buckets: its distance from the end of the previous span (for the first: its index), and its length. */
interface Span {
  readonly offset: number;
  readonly length: number;
}

/** The spans of buckets that are ascending by index. */
export function spansOf(buckets: readonly NativeBucket[]): readonly Span[] {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const { index } of buckets) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return spans;
}
