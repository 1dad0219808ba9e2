import { setTimeout as sleep } from 'node:timers/promises';

/** How tests poll: often, and for long enough that a busy machine with a slow disk does not fail them. */
export const patiently = { interval: 10, timeout: 10_000 } as const;

/** Waits until something holds, looking often; throws when it still does not after ten seconds. For set-ups, not tests. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`waited in vain until ${what}`);
}
