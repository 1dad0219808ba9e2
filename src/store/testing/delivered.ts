import type { Store } from '../contract.ts';

/** Brings all that a store has committed to where its totals are kept, when that is elsewhere. */
export async function delivered({ journal, remote }: Store): Promise<void> {
  if (!remote || !journal.outbox) return;
  for (let at = await remote.position(); ;) {
    const batches = await journal.outbox.read(at, 100);
    if (batches.length === 0) return;
    const result = await remote.deliver(batches);
    at = result.kind === 'rewind' ? result.to : (batches.at(-1)?.number ?? at);
  }
}
