import { setTimeout as sleep } from 'node:timers/promises';

/** How tests poll: often, and for long enough that a busy machine with a slow disk does not fail them. */
export const patiently = { interval: 10, timeout: 60_000 } as const;

/** Waits until something holds, looking often; throws when it still does not after a minute. For set-ups, not tests. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patiently.timeout;
  while (performance.now() < end) {
    if (await holds()) return;
    await sleep(patiently.interval);
  }
  throw new Error(`waited in vain until ${what}`);
}
