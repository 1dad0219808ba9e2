import type { Store } from '../contract.ts';

/** What a driver hands to the suite: stores that open on fresh data, and open again on the data that a store left. */
export interface StoreFixture {
  /** A store on data of its own. `reopen` opens the same data again, after the store has been closed. */
  open(): Promise<{ readonly store: Store; readonly reopen: () => Promise<Store> }>;
}
