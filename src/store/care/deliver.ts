import { limits, TonnageError } from '../../base/index.ts';
import type { Outbox } from '../contract.ts';
import type { RemoteCare } from './remote.ts';

/**
 * Delivers all batches up to `lastBatch`; tries nothing again but what the store itself says it misses. Rejects with
 * `ledger_gap` when the outbox does not have what the store misses, else with the store's error.
 */
export async function deliverAll(
  outbox: Pick<Outbox, 'read'>,
  remote: Pick<RemoteCare, 'position' | 'deliver' | 'name'>,
  lastBatch: number,
): Promise<void> {
  let at = await remote.position();
  if (at > lastBatch) throw gap(`${remote.name} has batch ${at} of this ledger, whose own last one is ${lastBatch}`);
  let lowest = Infinity;
  while (at < lastBatch) {
    const batches = await outbox.read(at, limits.deliveredBatchesMax);
    const [first] = batches;
    if (first?.number !== at + 1) throw gap(`${remote.name} misses the batches after ${at}, and the outbox does too`);
    const result = await remote.deliver(batches);
    if (result.kind === 'delivered') {
      at += batches.length;
      continue;
    }
    if (result.to >= lowest) throw gap(`${remote.name} misses the batches after ${result.to}`);
    lowest = at = result.to;
  }
}

function gap(what: string): TonnageError {
  return new TonnageError('ledger_gap', `${what}; run tonnage ledger rebuild`);
}
