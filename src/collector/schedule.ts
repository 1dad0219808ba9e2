import type { Clock } from '../base/index.ts';

/** The longest timer in milliseconds. Node.js fires a longer one at once (`setTimeout`). */
export const timerMsMax = 2 ** 31 - 1;

export interface Schedule {
  /** Milliseconds until the next run begins; 0 during a run. */
  untilNextMs(): number;
  /** Stops the schedule without waiting for a run in flight. */
  end(): void;
}

/**
 * Runs `task` now and then every `intervalMs`. Runs never overlap: a long run skips intervals, so that a pause follows
 * each run. `task` must not reject. The timers do not keep the process alive.
 */
export function repeat(task: () => Promise<void>, intervalMs: number, clock: Clock): Schedule {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let nextAt = 0;
  const run = async (): Promise<void> => {
    const begun = clock.monotonic();
    nextAt = begun;
    await task();
    if (ended) return;
    const now = clock.monotonic();
    const waitMs = intervalMs - ((now - begun) % intervalMs);
    nextAt = now + waitMs;
    timer = setTimeout(() => void run(), waitMs).unref();
  };
  void run();
  return {
    untilNextMs: () => Math.max(0, nextAt - clock.monotonic()),
    end: () => {
      ended = true;
      clearTimeout(timer);
    },
  };
}
