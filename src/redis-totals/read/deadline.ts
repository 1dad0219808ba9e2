import { limits, TonnageError, within, type Clock } from '../../base/index.ts';

/** Says whether there is still time: called between two steps of a query, so that one that was given up stops. */
export interface Deadline {
  /** @throws {TonnageError} `query_deadline` once the time is over */
  check(): void;
}

/**
 * Runs `work` and answers what it answers, but not later than `limits.queryMsMax` from now.
 *
 * @throws {TonnageError} `query_deadline` then; `work` ends at its next `check`, and Redis has nothing more to do for it
 */
export function withDeadline<T>(clock: Clock, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const end = clock.monotonic() + limits.queryMsMax;
  const late = () => new TonnageError('query_deadline', `the query was given up after ${limits.queryMsMax} ms`);
  const check = () => {
    if (clock.monotonic() >= end) throw late();
  };
  return within(limits.queryMsMax, work({ check }), late);
}
