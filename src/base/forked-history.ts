import { TonnageError } from './errors.ts';

/**
 * The store has batches of this ledger that the ledger does not have: the ledger was set back, or a copy of it counts
 * as well. Whatever either of them does next, only a rebuild makes the store agree with the ledger again.
 */
export class ForkedHistory extends TonnageError {
  constructor(message: string) {
    super('ledger_gap', message);
  }
}

/**
 * Whether an error of a delivery, or of a question for the position, means that the store lacks counts. While a rebuild
 * is unfinished it may: the rebuild may have begun because the store had lost its data, before the ledger noticed that.
 */
export function isLoss({ code }: TonnageError): boolean {
  return code === 'ledger_gap' || code === 'store_rebuilding';
}
