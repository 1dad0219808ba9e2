import type { Clock } from '../base/index.ts';

/** The longest timer in milliseconds. Node.js fires a longer one at once (`setTimeout`). */
export const timerMsMax = 2 ** 31 - 1;

/**
 * Runs `task` now and then every `intervalMs`. Runs never overlap: a long run skips intervals, so that a pause follows
 * each run. `task` must not reject. The timers do not keep the process alive. Returns a function that stops the
 * schedule without waiting for a run in flight.
 */
export function repeat(task: () => Promise<void>, intervalMs: number, clock: Clock): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const run = async (): Promise<void> => {
    const begun = clock.monotonic();
    await task();
    if (ended) return;
    const elapsed = clock.monotonic() - begun;
    timer = setTimeout(() => void run(), intervalMs - (elapsed % intervalMs)).unref();
  };
  void run();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
