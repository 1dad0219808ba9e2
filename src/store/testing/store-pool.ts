import { waveMeters } from '../../usage/index.ts';
import type { Batch, Committed, Store } from '../contract.ts';
import { delivered } from './delivered.ts';

/** Cases that share a store: opening one takes far longer than a case. */
const casesOfStore = 100;

/** A store for one case of a property, whose meters and numbers of events no other case has. */
export interface PooledCase {
  readonly store: Store;
  /** The meter that stands for the `index`th one of this case. */
  readonly meter: (index: number) => string;
  /** Added to the numbers of its events. */
  readonly firstId: number;
  /** Commits a batch, and brings it to where the totals are. */
  readonly commit: (batch: Omit<Batch, 'number' | 'at'> & { readonly at?: number }) => Promise<Committed>;
}

/** Hands out stores to cases, many cases to each. */
export class StorePool {
  readonly #open: () => Promise<Store>;
  #store: Store | undefined;
  #cases = 0;
  #number = 0;

  constructor(open: () => Promise<Store>) {
    this.#open = open;
  }

  async case(): Promise<PooledCase> {
    if (this.#cases % casesOfStore === 0) await this.#renew();
    const index = this.#cases++;
    const store = this.#store ?? (await this.#renew());
    // The first case of each store has the meters that Wave has, which are kept in another place.
    const isFirst = index % casesOfStore === 0;
    return {
      store,
      meter: (which) => (isFirst ? (waveMeters[which] ?? '') : `meter_${index}_${which}`),
      firstId: index * 1_000,
      commit: async (batch) => {
        const committed = await store.journal.commit({ at: 0, ...batch, number: ++this.#number });
        await delivered(store);
        return committed;
      },
    };
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  async #renew(): Promise<Store> {
    await this.close();
    this.#number = 0;
    return (this.#store = await this.#open());
  }
}
