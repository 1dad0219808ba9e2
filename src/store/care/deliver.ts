import { limits, TonnageError } from '../../base/index.ts';
import type { Outbox } from '../contract.ts';
import type { RemoteCare } from './remote.ts';

/** How often a store may say that it misses something, until it must be losing it as fast as it gets it. */
const rewindsMax = 100;

/**
 * Delivers all batches up to `lastBatch`; tries nothing again but what the store itself says it misses. Rejects with
 * `ledger_gap` when the outbox does not have what the store misses, else with the store's error.
 */
export async function deliverAll(
  outbox: Pick<Outbox, 'read' | 'status'>,
  remote: Pick<RemoteCare, 'position' | 'deliver' | 'name'>,
  lastBatch: number,
): Promise<void> {
  let at = await remote.position();
  if (at > lastBatch) throw gap(`${remote.name} has batch ${at} of this ledger, whose own last one is ${lastBatch}`);
  let rewinds = 0;
  // Number of the first batch that was delivered since it was last decided where to go on.
  let began: number | undefined;
  while (at < lastBatch) {
    const batches = await outbox.read(at, limits.deliveredBatchesMax);
    const last = batches.at(-1)?.number;
    if (last === undefined) throw gap(`${remote.name} misses the batches after ${at}, and the outbox does too`);
    began ??= batches[0]?.number;
    const result = await remote.deliver(batches);
    if (result.kind === 'delivered') {
      at = last;
      continue;
    }
    // Where the outbox begins later, what is missed may be in it all the same; delivered from its beginning, it is not.
    const first = outbox.status().first ?? lastBatch + 1;
    const isGone = result.to < first - 1 && began !== undefined && began <= first;
    if (isGone || ++rewinds > rewindsMax) throw gap(`${remote.name} misses the batches after ${result.to}`);
    at = result.to;
    began = undefined;
  }
}

function gap(what: string): TonnageError {
  return new TonnageError('ledger_gap', `${what}; run tonnage ledger rebuild`);
}
