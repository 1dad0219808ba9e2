import { LabelNames, type LabelSet } from './labels.ts';
import type { Instrument } from './instrument.ts';
import { ChildIndex } from './child-index.ts';

/** The value of every label of the overflow series. */
const overflowValue = '__other__';

interface LabelledOptions<Child> {
  readonly instrument: Instrument;
  readonly labels: readonly string[];
  /** The most series, without the overflow series. */
  readonly seriesMax: number;
  readonly create: (labels: LabelSet) => Child;
  /** Called for each lookup that returns the overflow series. */
  readonly onFold: () => void;
}

/**
 * An instrument with labels: one series per label set. Look a series up once and keep it:
 * `const pulls = counter.labels({ org })` costs a lookup, `pulls.inc()` only an addition.
 */
export class Labelled<Child, Name extends string> implements Iterable<Child> {
  readonly #options: LabelledOptions<Child>;
  readonly #names: LabelNames;
  readonly #overflowKey: string;
  readonly #index: ChildIndex<Child>;
  /** By label key, in order of creation. Includes the overflow series once there is one. */
  readonly #children = new Map<string, Child>();

  constructor(options: LabelledOptions<Child>) {
    this.#options = options;
    this.#names = new LabelNames(options.labels);
    this.#index = new ChildIndex(this.#names.names);
    const overflow = Object.fromEntries(options.labels.map((name) => [name, overflowValue]));
    this.#overflowKey = this.#names.key(options.instrument.subject, overflow);
  }

  /**
   * The series with these label values; the first call creates it. If there are `seriesMax` series, further label sets
   * share the overflow series, whose label values are all `__other__`. Throws (`BUG:`) for missing or unknown labels.
   */
  labels(values: Readonly<Record<Name, string>>): Child {
    const indexed = this.#index.get(values);
    if (indexed !== undefined) return indexed;
    const key = this.#names.key(this.#options.instrument.subject, values);
    let child = this.#children.get(key);
    if (child === undefined) {
      // Not indexed: each lookup must be counted, and must take a place that `remove` has freed.
      if (this.size >= this.#options.seriesMax && key !== this.#overflowKey) return this.#fold();
      child = this.#add(key);
    }
    this.#index.add(values, child);
    return child;
  }

  /**
   * Removes one series; false if there was none. Code that kept the series must look it up again: the removed one is no
   * longer exposed. A counter that is created again starts at 0.
   */
  remove(values: Readonly<Record<Name, string>>): boolean {
    this.#index.clear();
    return this.#children.delete(this.#names.key(this.#options.instrument.subject, values));
  }

  /** Removes all series, including the overflow series. */
  clear(): void {
    this.#index.clear();
    this.#children.clear();
  }

  /** The number of series, without the overflow series. */
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
