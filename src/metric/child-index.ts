/** Children that are indexed; those that come later are found by their text alone. */
const entriesMax = 10_000;

/** One level per label, by its value; below the last one are the children. */
type Level<Child> = Map<string, Level<Child> | Leaf<Child>>;

interface Leaf<Child> {
  readonly child: Child;
}

/**
 * Finds a child by its label values, one map per label: strings that are compared again and again keep their hashes, so
 * that this costs a fraction of building a key out of them. It takes memory for each entry, so it holds a number of
 * them at most.
 */
export class ChildIndex<Child> {
  readonly #names: readonly string[];
  #root: Level<Child> = new Map();
  #entries = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The child of exactly these labels, if it is indexed. Answers nothing for labels that are not right. */
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
