import type { BatchHistory, BatchId } from '../store/index.ts';
import { aheadOf, missingBatches, otherBatch, unfinishedRebuild } from './history-errors.ts';
import { parseBatchText } from './batch-text.ts';
import { numbersKey } from './layout.ts';
import type { RedisLink } from '../redis-link/index.ts';

/** Rejects with `ForkedHistory` unless a batch is the ledger's. `where` names the part of Redis that has the batch. */
export async function assertOwn(history: BatchHistory, kept: BatchId, where: string): Promise<void> {
  const { token, last } = await history.lookUp(kept.number);
  if (kept.number > last) throw aheadOf(where, kept.number, last);
  if (token !== kept.token) throw otherBatch(where, kept.number);
}

/**
 * The last batch of a ledger in the sums of Redis. Delivery continues after it. Every batch changes the sums, so the
 * outbox must have all later batches. Rejects with `ForkedHistory` if the batch is not the ledger's, with `ledger_gap`
 * if the outbox begins later, with `store_rebuilding` if a rebuild has not finished, and with the link's errors.
 */
export async function keptBatch(link: RedisLink, ledgerId: string, history: BatchHistory): Promise<BatchId> {
  // Read this before asking Redis: a running server may deliver batches and delete them from the outbox at any time.
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
      kept.number === 0 ? 'Redis, which has nothing of this ledger (it was emptied, or is another Redis)' : 'Redis';
    throw missingBatches(where, kept.number + 1, first - 1);
  }
  return kept;
}

/**
 * The batch after which to deliver again, for a tag that has all batches up to `kept` and misses batch `missing`.
 * Rejects with `ledger_gap` if the outbox no longer has batch `missing`.
 */
export async function rewindTo(
  history: BatchHistory,
  { kept, missing, where }: { readonly kept: number; readonly missing: number; readonly where: string },
): Promise<number> {
  const { first } = await history.lookUp(missing);
  if (missing < first) throw missingBatches(where, missing, missing);
  return Math.max(kept, first - 1);
}
