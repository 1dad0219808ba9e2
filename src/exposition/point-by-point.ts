import type { TextWriter } from './text-writer.ts';
import type { PointWriter } from './points.ts';

/** Writes all points and yields each full chunk. A chunk never ends within a point. */
export function* pointByPoint<P>(
  out: TextWriter,
  points: Iterable<P>,
  write: PointWriter<P>,
): Generator<Uint8Array, void> {
  for (const point of points) {
    write(point);
    if (out.full) yield out.take();
  }
}
