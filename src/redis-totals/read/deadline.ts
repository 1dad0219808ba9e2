import { limits, TonnageError, within, type Clock } from '../../base/index.ts';

/** A query checks its deadline between two steps, so that it stops after the deadline. */
export interface Deadline {
  /** @throws {TonnageError} `query_deadline` after the deadline */
  check(): void;
}

/**
 * Runs `work` for at most `limits.queryMsMax` and returns its result.
 *
 * @throws {TonnageError} `query_deadline` after that time; `work` sends nothing more to Redis after its next `check`
 */
export function withDeadline<T>(clock: Clock, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const end = clock.monotonic() + limits.queryMsMax;
  const late = () => new TonnageError('query_deadline', `the query was cancelled after ${limits.queryMsMax} ms`);
  const check = () => {
    if (clock.monotonic() >= end) throw late();
  };
  return within(limits.queryMsMax, work({ check }), late);
}
