/** The most children in the index. The caller finds further children by key. */
const entriesMax = 10_000;

/** One level per label, keyed by the label's value. The last level holds the children. */
type Level<Child> = Map<string, Level<Child> | Leaf<Child>>;

interface Leaf<Child> {
  readonly child: Child;
}

/**
 * Finds a child by its label values with one map per label. V8 caches the hash of a string, so this is several times as
 * fast as building a key. The number of entries is bounded because each takes memory.
 */
export class ChildIndex<Child> {
  readonly #names: readonly string[];
  #root: Level<Child> = new Map();
  #entries = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The child with exactly these labels; `undefined` if it is not indexed or a label is missing or unknown. */
  get(values: Readonly<Record<string, string>>): Child | undefined {
    if (Object.keys(values).length !== this.#names.length) return undefined;
    let at: Level<Child> | Leaf<Child> | undefined = this.#root;
    for (const name of this.#names) {
      const value = values[name];
      if (value === undefined || !(at instanceof Map)) return undefined;
      at = at.get(value);
    }
    return at === undefined || at instanceof Map ? undefined : at.child;
  }

  /** Adds a child, unless the index is full. */
  add(values: Readonly<Record<string, string>>, child: Child): void {
    if (this.#entries >= entriesMax) return;
    let level = this.#root;
    for (const name of this.#names.slice(0, -1)) {
      const value = values[name] ?? '';
      let next = level.get(value);
      if (!(next instanceof Map)) {
        next = new Map();
        level.set(value, next);
      }
      level = next;
    }
    level.set(values[this.#names.at(-1) ?? ''] ?? '', { child });
    this.#entries++;
  }

  clear(): void {
    this.#root = new Map();
    this.#entries = 0;
  }
}
