import { misuse, shown } from './misuse.ts';

/** Upper bounds in seconds for the time that a request takes: 1 ms to 5 min, so that a slow pull does not fall off. */
export const durationBounds: readonly number[] = Object.freeze([
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
]);

/** `count` bounds from `first` on, each `factor` times the one before. */
export function exponentialBounds(first: number, factor: number, count: number): readonly number[] {
  if (!(first > 0 && factor > 1 && count >= 1)) {
    misuse('exponential bounds', `expected first > 0, factor > 1, count >= 1, got ${first}, ${factor}, ${count}`);
  }
  return Array.from({ length: count }, (_, index) => first * factor ** index);
}

/** `count` bounds from `first` on, each `step` more than the one before. */
export function linearBounds(first: number, step: number, count: number): readonly number[] {
  if (!(step > 0 && count >= 1)) misuse('linear bounds', `expected step > 0, count >= 1, got ${step}, ${count}`);
  return Array.from({ length: count }, (_, index) => first + step * index);
}

/** Refuses bounds that are not finite or do not ascend. `+Inf` is implied and may not be given. */
export function checkBounds(subject: string, bounds: readonly number[]): void {
  for (const [index, bound] of bounds.entries()) {
    if (!Number.isFinite(bound)) misuse(subject, `expected finite bucket bounds, got ${shown(bound)}`);
    const before = bounds[index - 1];
    if (before !== undefined && bound <= before) {
      misuse(subject, `expected ascending bucket bounds, got ${before} before ${bound}`);
    }
  }
}

/** Index of the first bound that is not below `value`; `bounds.length` when all are. */
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
