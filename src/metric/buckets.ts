import { misuse, shown } from './misuse.ts';

/** Upper bounds in seconds for the duration of a request: 1 ms to 5 min, enough for a slow pull. */
export const durationBounds: readonly number[] = Object.freeze([
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]);

/** Throws (`BUG:`) unless the bounds are finite and ascending. `+Inf` is implied. */
export function checkBounds(subject: string, bounds: readonly number[]): void {
  for (const [index, bound] of bounds.entries()) {
    if (!Number.isFinite(bound)) misuse(subject, `expected finite bucket bounds, got ${shown(bound)}`);
    const before = bounds[index - 1];
    if (before !== undefined && bound <= before) {
      misuse(subject, `expected ascending bucket bounds, got ${before} before ${bound}`);
    }
  }
}

/** Index of the first bound that is at least `value`; `bounds.length` if there is none. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= (bounds[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}
