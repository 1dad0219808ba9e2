import type { NativeBucket } from '../metric/index.ts';

/** A run of consecutive buckets: how far it begins after the run before it (the first: its index), and its length. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** The runs that ascending buckets form. */
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
