import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Sliced } from '../oci/index.ts';

/** Work that has a slice to run before ours, or has ended. One for the process, as its event loop is. */
let ahead: Promise<unknown> = Promise.resolve();

/**
 * Runs work that may be large without keeping others waiting: its first slice at once, which is all of it most often, and
 * each further one in a turn of the event loop, as whatever is done with the result. Work that takes several slices waits
 * for its like, so that a turn has one slice however many manifests come in.
 */
export function inSlices<Result>(work: Sliced<Result>): Promise<Result> {
  const first = work.next();
  if (first.done === true) return Promise.resolve(first.value);
  const rest = ahead.then(() => finish(work));
  ahead = rest.catch(() => undefined);
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
