import { limits, TonnageError } from '../base/index.ts';
import type { Outbox, RemoteCare } from '../store/index.ts';

/**
 * Delivers all batches up to `lastBatch`. Delivers a batch again only if the store says that it misses it. Rejects with
 * `ledger_gap` if the ledger knows of a loss, or if the outbox lacks what the store misses, and otherwise with the store's error.
 */
export async function deliverAll(
  outbox: Pick<Outbox, 'read' | 'gap' | 'lookUp' | 'touchedAsOf'>,
  remote: Pick<RemoteCare, 'position' | 'deliver' | 'name'>,
  lastBatch: number,
): Promise<void> {
  if (outbox.gap) throw new TonnageError('ledger_gap', outbox.gap.reason);
  let at = await remote.position(outbox);
  let rewinds = 0;
  while (at < lastBatch) {
    const batches = await outbox.read(at, limits.deliveredBatchesMax);
    const last = batches.at(-1)?.number;
    if (last === undefined) throw gap(`${remote.name} misses the batches after ${at}, and the outbox does too`);
    const result = await remote.deliver(batches, outbox);
    if (result.kind === 'rewind' && ++rewinds > limits.rewindsMax)
      throw gap(`${remote.name} still misses batches after ${result.to}, which it was given ${rewinds} times`);
    at = result.kind === 'delivered' ? last : result.to;
  }
}

function gap(what: string): TonnageError {
  return new TonnageError('ledger_gap', `${what}; run tonnage ledger rebuild`);
}
