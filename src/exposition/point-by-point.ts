import type { TextWriter } from './text-writer.ts';
import type { PointWriter } from './points.ts';

/** Writes every point and yields a chunk whenever one is full: between two points, never within one. */
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
