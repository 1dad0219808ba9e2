import { sleep } from './program.ts';

const dayMs = 86_400_000;

/**
 * For suites whose counts must all fall on one day (UTC): where this one ends within `ms`, waits for the next. Hooks have
 * the time for that.
 */
export async function awayFromMidnight(ms = 60_000): Promise<void> {
  const leftMs = dayMs - (Date.now() % dayMs);
  // A little over, since a timer may be early by a moment.
  if (leftMs < ms) await sleep(leftMs + 100);
}
