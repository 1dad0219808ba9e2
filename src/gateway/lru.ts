/**
 * A map that holds a bounded weight and drops what was used longest ago. Reading makes an entry the newest. An entry that
 * alone is heavier than the bound is not kept.
 */
export class Lru<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #weightMax: number;
  readonly #weigh: (value: Value) => number;
  /** One iterator for all evictions. A new one would step over the gaps of all earlier deletions each time. */
  #oldest = this.#entries.keys();
  #weight = 0;

  /** `weigh` answers what an entry counts against `weightMax`; it must answer the same for the same value, always. */
  constructor(weightMax: number, weigh: (value: Value) => number = () => 1) {
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What all entries weigh together. */
  get weight(): number {
    return this.#weight;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    // A map iterates in the order of insertion, so that inserting again is what makes an entry the newest.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#weight += this.#weigh(value);
    while (this.#weight > this.#weightMax) this.dropOldest();
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }

  /** Removes the entry that was used longest ago and returns its value; undefined when there is none. */
  dropOldest(): Value | undefined {
    if (this.#entries.size === 0) return undefined;
    let next = this.#oldest.next();
    if (next.done === true) {
      // An iterator that has come to the end stays there, whatever is inserted later.
      this.#oldest = this.#entries.keys();
      next = this.#oldest.next();
    }
    if (next.done === true) return undefined;
    const value = this.#entries.get(next.value);
    this.delete(next.value);
    return value;
  }
}
