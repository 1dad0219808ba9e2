import type { BatchHistory, BatchId } from '../store/index.ts';
import { aheadOf, missingBatches, otherBatch } from './history-errors.ts';
import { parseBatchText } from './batch-text.ts';
import { numbersKey } from './layout.ts';
import type { RedisLink } from '../redis-link/index.ts';
import { unfinishedRebuild } from './unfinished-rebuild.ts';

/** Throws `ForkedHistory` unless the ledger has this batch, with this token. `where`: what in Redis has it, for people. */
export async function assertOwn(history: BatchHistory, kept: BatchId, where: string): Promise<void> {
  const { token, last } = await history.lookUp(kept.number);
  if (kept.number > last) throw aheadOf(where, kept.number, last);
  if (token !== kept.token) throw otherBatch(where, kept.number);
}

/**
 * The last batch of a ledger that the sums in Redis have, for delivery to go on after it. Every batch changes the sums, so the
 * outbox must hold all batches that follow. Rejects with `ForkedHistory` if the batch is not the ledger's, with `ledger_gap` if
 * the outbox begins later, with `store_rebuilding` while a rebuild is unfinished, and with the link's errors.
 */
export async function keptBatch(link: RedisLink, ledgerId: string, history: BatchHistory): Promise<BatchId> {
  // Read before Redis is asked: a running server may deliver batches and forget them at any time.
  const { first } = await history.lookUp(0);
  const kept = parseBatchText(
    String((await link.send({ key: numbersKey, args: ['HGET', numbersKey, ledgerId] })) ?? ''),
  );
  if (!kept) throw unfinishedRebuild();
  const { token, last } = await history.lookUp(kept.number);
  if (kept.number > last) throw aheadOf('Redis', kept.number, last);
  if (token !== undefined && token !== kept.token) throw otherBatch('Redis', kept.number);
  if (kept.number < first - 1) {
    const where =
      kept.number === 0 ? 'Redis, which has nothing of this ledger (it was emptied, or is another one)' : 'Redis';
    throw missingBatches(where, kept.number + 1, first - 1);
  }
  return kept;
}

/**
 * From where to deliver again a slot that has everything up to batch `kept` and misses `missing`, which touched it. Throws
 * `ledger_gap` if the outbox no longer holds that one.
 */
export async function rewindTo(
  history: BatchHistory,
  { kept, missing, where }: { readonly kept: number; readonly missing: number; readonly where: string },
): Promise<number> {
  const { first } = await history.lookUp(missing);
  if (missing < first) throw missingBatches(where, missing, missing);
  return Math.max(kept, first - 1);
}
