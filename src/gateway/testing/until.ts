import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until something holds, looking often; throws when it still does not after two seconds. For set-ups, not tests. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`waited in vain until ${what}`);
}
