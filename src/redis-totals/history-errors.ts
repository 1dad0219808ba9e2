import { ForkedHistory, TonnageError } from '../base/index.ts';

const way = 'stop the server and run tonnage ledger rebuild';

/** The last batch of a ledger in the store is beyond the ledger's own. `where`: what has it, for people. */
export function aheadOf(where: string, number: number, last: number): ForkedHistory {
  return new ForkedHistory(
    `batch ${number} of this ledger is in ${where}, and the ledger's own last one is ${last}: the ledger was set back (an ` +
      `older copy of its file took its place, or its write-ahead log was lost); ${way}`,
  );
}

/** The store has a batch with the same number, and it is not the ledger's. */
export function otherBatch(where: string, number: number): ForkedHistory {
  return new ForkedHistory(
    `batch ${number} in ${where} is not batch ${number} of this ledger: the ledger was set back and has counted on since ` +
      `then, or a copy of it counts into the same store; ${way}`,
  );
}

/** The store misses batches that the outbox no longer holds. The ledger has their counts. */
export function missingBatches(where: string, from: number, to: number): TonnageError {
  const which = from === to ? `batch ${from} of this ledger is` : `batches ${from} to ${to} of this ledger are`;
  return new TonnageError(
    'ledger_gap',
    `${which} missing in ${where}, and the outbox does not have ${from === to ? 'it' : 'them'} any more; the ledger has ` +
      `their counts: ${way}`,
  );
}
