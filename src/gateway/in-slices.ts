import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Sliced } from '../oci/index.ts';

/** The end of the queue of work with several slices. One queue, because the process has one event loop. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs work in slices without blocking the event loop. The first slice runs at once, and most work has no other. Each
 * further slice runs in its own turn of the event loop, and so does the caller's continuation. Work with several slices
 * is queued, so that one turn runs at most one slice, however many manifests arrive.
 */
export function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  const first = work.next();
  if (first.done === true) return Promise.resolve(first.value);
  const rest = last.then(() => finish(work));
  last = rest.catch(() => undefined);
  return rest;
}

async function finish<Result>(work: Sliced<Result>): Promise<Result> {
  for (;;) {
    await nextTurn();
    const step = work.next();
    if (step.done !== true) continue;
    await nextTurn();
    return step.value;
  }
}
