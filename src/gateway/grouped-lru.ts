import { Lru } from '../base/index.ts';

/**
 * An LRU map of groups. The total weight (by default the number of entries) and the weight of each group are limited. A
 * group over its limit evicts its own oldest entries. If all groups together exceed the total, the least recently used
 * group is evicted.
 */
export class GroupedLru<Value> {
  readonly #groups = new Lru<Lru<Value>>(Number.POSITIVE_INFINITY);
  readonly #weightMax: number;
  readonly #shareMax: number;
  readonly #weigh: (value: Value) => number;
  #weight = 0;

  /** `shareMax` limits the weight of one group. `weigh`: as for `Lru`. */
  constructor(weightMax: number, shareMax: number, weigh: (value: Value) => number = () => 1) {
    this.#weightMax = weightMax;
    this.#shareMax = Math.min(shareMax, weightMax);
    this.#weigh = weigh;
  }

  /** Total weight of all groups. */
  get weight(): number {
    return this.#weight;
  }

  get(group: string, key: string): Value | undefined {
    return this.#groups.get(group)?.get(key);
  }

  set(group: string, key: string, value: Value): void {
    let entries = this.#groups.get(group);
    if (entries === undefined) {
      entries = new Lru<Value>(this.#shareMax, this.#weigh);
      this.#groups.set(group, entries);
    }
    const before = entries.weight;
    entries.set(key, value);
    this.#weight += entries.weight - before;
    while (this.#weight > this.#weightMax) this.#weight -= this.#groups.dropOldest()?.weight ?? 0;
  }
}
