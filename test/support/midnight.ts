import { sleep } from './program.ts';

const dayMs = 86_400_000;

/**
 * For test files whose counts must all fall on one day (UTC): waits for the next day if this one ends within `ms`. Hooks
 * have a long enough time-out for that.
 */
export async function awayFromMidnight(ms = 60_000): Promise<void> {
  const leftMs = dayMs - (Date.now() % dayMs);
  // A little more, since a timer may fire slightly early.
  if (leftMs < ms) await sleep(leftMs + 100);
}
