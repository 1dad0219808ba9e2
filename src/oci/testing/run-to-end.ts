import type { Sliced } from '../json-reader.ts';

/** Runs all slices without a pause and returns their result. */
export function runToEnd<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
