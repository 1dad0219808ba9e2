import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Sliced } from '../oci/index.ts';

/** The last work that takes several slices. There is one queue, because the process has one event loop. */
let ahead: Promise<unknown> = Promise.resolve();

/**
 * Runs work that may be large without holding up the event loop. The first slice runs at once; most work has no other.
 * Each further slice runs in a turn of its own, and the result is handed over in yet another one. Work of several slices
 * queues, so that a turn runs one slice however many manifests come in.
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
