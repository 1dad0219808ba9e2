import { TonnageError } from './errors.ts';

/**
 * The store has batches of this ledger that the ledger does not have: the ledger was set back, or a copy of it counts as
 * well. Whatever either of them does next, only a rebuild makes the store agree with the ledger again.
 */
export class ForkedHistory extends TonnageError {
  constructor(message: string) {
    super('ledger_gap', message);
  }
}
