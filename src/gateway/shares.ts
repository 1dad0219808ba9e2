import { Lru } from './lru.ts';

/**
 * A map in groups: holds a bounded number of entries, of which one group has a bounded share. A group that outgrows its
 * share drops its own oldest entries. When all groups together hold too much, the group that was used longest ago goes.
 */
export class Shares<Value> {
  readonly #groups = new Lru<Lru<Value>>(Number.POSITIVE_INFINITY);
  readonly #entriesMax: number;
  readonly #shareMax: number;
  #size = 0;

  /** `shareMax` is the most that one group may hold; at most `entriesMax`. */
  constructor(entriesMax: number, shareMax: number) {
    this.#entriesMax = entriesMax;
    this.#shareMax = Math.min(shareMax, entriesMax);
  }

  /** Entries of all groups. */
  get size(): number {
    return this.#size;
  }

  get(group: string, key: string): Value | undefined {
    return this.#groups.get(group)?.get(key);
  }

  set(group: string, key: string, value: Value): void {
    let entries = this.#groups.get(group);
    if (entries === undefined) {
      entries = new Lru<Value>(this.#shareMax);
      this.#groups.set(group, entries);
    }
    const before = entries.size;
    entries.set(key, value);
    this.#size += entries.size - before;
    while (this.#size > this.#entriesMax) this.#size -= this.#groups.dropOldest()?.size ?? 0;
  }
}
