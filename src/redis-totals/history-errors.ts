import { ForkedHistory, TonnageError } from '../base/index.ts';

const remedy = 'stop the server and run tonnage ledger rebuild';

/** Redis has a later batch than the ledger itself. `where` names the part of Redis that has it. */
export function aheadOf(where: string, number: number, last: number): ForkedHistory {
  return new ForkedHistory(
    `batch ${number} of this ledger is in ${where}, but the ledger's own last batch is ${last}: the ledger was set back ` +
      `(an older copy replaced its file, or its write-ahead log was lost); ${remedy}`,
  );
}

/** Redis has a batch of the same number with another token. */
export function otherBatch(where: string, number: number): ForkedHistory {
  return new ForkedHistory(
    `batch ${number} in ${where} is not batch ${number} of this ledger: the ledger was set back and has counted since ` +
      `then, or a copy of it counts into the same Redis; ${remedy}`,
  );
}

/** Redis misses batches that the outbox no longer has. The ledger still has their counts. */
export function missingBatches(where: string, from: number, to: number): TonnageError {
  const which = from === to ? `batch ${from} of this ledger is` : `batches ${from} to ${to} of this ledger are`;
  return new TonnageError(
    'ledger_gap',
    `${which} missing in ${where}, and the outbox no longer has ${from === to ? 'it' : 'them'}; the ledger still has the ` +
      `counts: ${remedy}`,
  );
}

/** Delivery must wait until the rebuild has finished. */
export function unfinishedRebuild(): TonnageError {
  return new TonnageError(
    'store_rebuilding',
    'a rebuild of this ledger in Redis has not finished; stop the server and run `tonnage ledger rebuild` again',
  );
}
