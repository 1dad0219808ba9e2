import { limits } from '../base/index.ts';
import { labelSet, type CounterPoint, type LabelSet } from '../metric/index.ts';
import type { AccountTotal } from '../store/index.ts';
import { accountOf, foldedValue, seriesKey, type Increment, type Series } from '../usage/index.ts';

interface Counter extends CounterPoint {
  readonly labels: LabelSet;
  value: bigint;
}

export interface CountedOptions {
  /** Whether organisations are told apart: their names are a list of customers, which not everybody may read. */
  readonly orgs: boolean;
  /** Accounts that are told apart at most. Default: `limits.usageSeriesMax`. */
  readonly accountsMax?: number;
}

/**
 * What this ledger has counted, ever, by account: a mirror of the commits in memory, so that a scrape never asks the
 * store. Never lowered. Accounts beyond the cap are summed under the organisation `__other__` and their architecture.
 */
export class Counted {
  readonly #options: CountedOptions;
  readonly #counters = new Map<string, Counter>();

  constructor(soFar: readonly AccountTotal[], options: CountedOptions) {
    this.#options = options;
    for (const { account, value } of soFar) this.#add(account, value);
  }

  add(increments: readonly Increment[]): void {
    for (const increment of increments) this.#add(accountOf(increment), increment.quantity);
  }

  points(): Iterable<CounterPoint> {
    return this.#counters.values();
  }

  #add(account: Series, value: bigint): void {
    const { arch } = account.dimensions;
    if (this.#options.orgs) this.#addTo(account, value);
    else this.#addTo({ meter: account.meter, dimensions: arch === undefined ? {} : { arch } }, value);
  }

  #addTo(account: Series, value: bigint): void {
    const { meter, dimensions } = account;
    const key = seriesKey(account);
    const counter = this.#counters.get(key);
    if (counter) {
      counter.value += value;
    } else if (this.#counters.size < this.#accountsMax || dimensions.org === foldedValue) {
      const labels = labelSet({ meter, org: dimensions.org ?? '', arch: dimensions.arch ?? '' });
      this.#counters.set(key, { labels, value });
    } else {
      this.#addTo({ meter, dimensions: { ...dimensions, org: foldedValue } }, value);
    }
  }

  get #accountsMax(): number {
    return this.#options.accountsMax ?? limits.usageSeriesMax;
  }
}
