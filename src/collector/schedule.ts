import type { Clock } from '../base/index.ts';

/** The longest time that a timer takes, in milliseconds: with more it would fire at once (Node.js, `setTimeout`). */
export const timerMsMax = 2 ** 31 - 1;

/**
 * Runs `task` now and then every `intervalMs`, never twice at once: beats that fall into a longer run are left out, so
 * that a pause follows it in any case. `task` must not reject. The timers keep no process alive. Answers a function that
 * ends it; a run under way is not waited for.
 */
export function repeat(task: () => Promise<void>, intervalMs: number, clock: Clock): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  const beat = async (): Promise<void> => {
    const begun = clock.monotonic();
    await task();
    if (ended) return;
    const elapsed = clock.monotonic() - begun;
    timer = setTimeout(() => void beat(), intervalMs - (elapsed % intervalMs)).unref();
  };
  void beat();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
