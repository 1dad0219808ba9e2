import { Lru } from '../base/index.ts';

/**
 * A map in groups: holds a bounded weight (by default a number of entries), of which one group has a bounded share. A group
 * that outgrows its share drops its own oldest entries. When all groups together hold too much, the group that was used
 * longest ago goes.
 */
export class GroupedLru<Value> {
  readonly #groups = new Lru<Lru<Value>>(Number.POSITIVE_INFINITY);
  readonly #weightMax: number;
  readonly #shareMax: number;
  readonly #weigh: (value: Value) => number;
  #weight = 0;

  /** `shareMax` is the most that one group may hold; at most `weightMax`. `weigh`: as for `Lru`. */
  constructor(weightMax: number, shareMax: number, weigh: (value: Value) => number = () => 1) {
    this.#weightMax = weightMax;
    this.#shareMax = Math.min(shareMax, weightMax);
    this.#weigh = weigh;
  }

  /** What the entries of all groups weigh. */
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
