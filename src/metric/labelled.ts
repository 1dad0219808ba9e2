import { LabelNames, type LabelSet } from './labels.ts';
import type { Instrument } from './instrument.ts';
import { ChildIndex } from './child-index.ts';

/** The value that every label of the overflow series has. */
export const overflowValue = '__other__';

export interface LabelledOptions<Child> {
  readonly instrument: Instrument;
  readonly labels: readonly string[];
  /** Series kept, the overflow series not counted. */
  readonly seriesMax: number;
  readonly create: (labels: LabelSet) => Child;
  /** Called for each label set that the overflow series stands in for. */
  readonly onFold: () => void;
}

/**
 * An instrument with labels: one child per label set. Bind once, use often: `const pulls = counter.labels({ org })`
 * costs a lookup, `pulls.inc()` an addition.
 */
export class Labelled<Child, Name extends string> implements Iterable<Child> {
  readonly #options: LabelledOptions<Child>;
  readonly #names: LabelNames;
  readonly #overflowKey: string;
  readonly #index: ChildIndex<Child>;
  /** By the keys of their labels, in the order in which they came; the overflow series too, once it is needed. */
  readonly #children = new Map<string, Child>();

  constructor(options: LabelledOptions<Child>) {
    this.#options = options;
    this.#names = new LabelNames(options.labels);
    this.#index = new ChildIndex(this.#names.names);
    const overflow = Object.fromEntries(options.labels.map((name) => [name, overflowValue]));
    this.#overflowKey = this.#names.key(options.instrument.subject, overflow);
  }

  /**
   * The series with these label values, made at the first call. Once `seriesMax` series are there, any further label
   * set gets the overflow series, whose labels all say `__other__`. Throws (`BUG:`) for missing or unknown labels.
   */
  labels(values: Readonly<Record<Name, string>>): Child {
    const indexed = this.#index.get(values);
    if (indexed !== undefined) return indexed;
    const key = this.#names.key(this.#options.instrument.subject, values);
    let child = this.#children.get(key);
    if (child === undefined) {
      // What is folded is looked up anew each time, so that each time counts, and a place that became free is taken.
      if (this.size >= this.#options.seriesMax && key !== this.#overflowKey) return this.#fold();
      child = this.#add(key);
    }
    this.#index.add(values, child);
    return child;
  }

  /**
   * Takes one series out; false when there was none. Whoever has it bound still counts in it, unseen: bind anew. A
   * counter that comes back later begins at 0.
   */
  remove(values: Readonly<Record<Name, string>>): boolean {
    this.#index.clear();
    return this.#children.delete(this.#names.key(this.#options.instrument.subject, values));
  }

  /** Takes all series out, the overflow series too. */
  clear(): void {
    this.#index.clear();
    this.#children.clear();
  }

  /** Series kept, the overflow series not counted. */
  get size(): number {
    return this.#children.size - (this.#children.has(this.#overflowKey) ? 1 : 0);
  }

  [Symbol.iterator](): Iterator<Child> {
    return this.#children.values();
  }

  #fold(): Child {
    this.#options.onFold();
    return this.#children.get(this.#overflowKey) ?? this.#add(this.#overflowKey);
  }

  #add(key: string): Child {
    const child = this.#options.create(this.#names.set(key));
    this.#children.set(key, child);
    return child;
  }
}
