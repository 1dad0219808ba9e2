/**
 * A map of bounded weight (a count of entries, or bytes) that evicts the least recently used entry. Reading an entry
 * makes it the most recently used one. An entry that alone exceeds the bound is not kept.
 *
 * Our own, because `base` imports no package; `lru-cache` would do as well.
 */
export class Lru<Value, Key = string> {
  readonly #entries = new Map<Key, Value>();
  readonly #weightMax: number;
  readonly #weigh: (value: Value) => number;
  /** One iterator for many evictions. A new one would step over the gaps of all earlier deletions each time. */
  #oldest = this.#entries.keys();
  /** Insertions since this iterator was made. */
  #insertions = 0;
  #weight = 0;

  /** `weigh`: what an entry counts against `weightMax`, by default 1. It must return the same for the same value. */
  constructor(weightMax: number, weigh: (value: Value) => number = () => 1) {
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The sum of the weights of all entries. */
  get weight(): number {
    return this.#weight;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#insert(key, value);
    return value;
  }

  /** Whether there is an entry. Does not count as a use, so it costs a look-up only. */
  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  set(key: Key, value: Value): void {
    this.delete(key);
    this.#insert(key, value);
    this.#weight += this.#weigh(value);
    while (this.#weight > this.#weightMax) this.dropOldest();
  }

  /** All keys and values, the least recently used first. Iterating changes no order. */
  entries(): Iterable<[Key, Value]> {
    return this.#entries.entries();
  }

  delete(key: Key): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }

  /** Removes the least recently used entry and returns its value; undefined if there is none. */
  dropOldest(): Value | undefined {
    if (this.#entries.size === 0) return undefined;
    let next = this.#oldest.next();
    if (next.done === true) {
      // An iterator that has reached the end stays there, whatever is inserted later.
      this.#renewIterator();
      next = this.#oldest.next();
    }
    if (next.done === true) return undefined;
    const value = this.#entries.get(next.value);
    this.delete(next.value);
    return value;
  }

  /** Makes an entry the most recently used one: a map iterates in the order of insertion. */
  #insert(key: Key, value: Value): void {
    this.#entries.set(key, value);
    // V8 keeps all tables that a map has outgrown since an iterator over it has moved, so an idle one must not get old.
    if (++this.#insertions > 2 * this.#entries.size) this.#renewIterator();
  }

  #renewIterator(): void {
    this.#oldest = this.#entries.keys();
    this.#insertions = 0;
  }
}
