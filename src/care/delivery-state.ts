import type { LedgerReader, RemoteCare } from '../store/index.ts';

/** Whether the batches of a ledger reach a remote store. */
export interface DeliveryState {
  /** Why delivery stops until an operator acts, and what to do; absent if it does not. */
  readonly stopped?: string;
  /** The number of batches that are committed but not delivered. */
  readonly waiting: number;
}

/**
 * Looks for what stops delivery until an operator acts. Safe while a server delivers. Rejects as `RemoteCare.position`
 * (with `ledger_gap` for a loss that the ledger cannot deliver again) and as `RemoteCare.assertWritable`.
 */
export async function deliveryState(ledger: LedgerReader, remote: RemoteCare): Promise<DeliveryState> {
  const { lastBatch: counted } = await ledger.facts();
  const isKeptHere = counted > 0 && !(await ledger.delivers());
  if (isKeptHere) return { stopped: notMeant, waiting: counted };
  const position = await remote.position(ledger.history);
  await remote.assertWritable();
  const { lastBatch } = await ledger.facts();
  return { waiting: lastBatch - position };
}

const notMeant =
  'gets nothing of this ledger, which has kept its totals itself until now, so no server starts with this configuration: take ' +
  'them there with tonnage ledger migrate --to this configuration, or with tonnage ledger rebuild';
