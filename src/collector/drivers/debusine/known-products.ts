import { limits } from '../../../base/index.ts';
import { LabelProduct, type LabelSet, type OptionalValue } from '../../../metric/index.ts';

/** The label sets of one product, and the labels that made them. */
type Known = ReadonlyMap<string, readonly LabelSet[]>;

/**
 * The label sets of zero filling, kept from one read to the next: they seldom change, and making them takes longer than
 * everything else that this process does in a read. The snapshot holds them anyway. Those that a read does not use are
 * dropped after it.
 */
export class KnownProducts {
  #previous: Known = new Map();
  readonly #current = new Map<string, readonly LabelSet[]>();

  /** Begins a read. */
  begin(): void {
    this.#previous = new Map(this.#current);
    this.#current.clear();
  }

  /** `LabelProduct.all` of these names and lists. */
  *all(names: readonly string[], lists: readonly (readonly OptionalValue[])[]): Generator<LabelSet, void> {
    const key = JSON.stringify([names, lists]);
    const known = this.#current.get(key) ?? this.#previous.get(key);
    if (known !== undefined) {
      this.#current.set(key, known);
      yield* known;
      return;
    }
    const made: LabelSet[] = [];
    for (const labels of new LabelProduct(names).all(lists)) {
      if (made.length < limits.sourceSeriesMax) made.push(labels);
      yield labels;
    }
    if (made.length < limits.sourceSeriesMax) this.#current.set(key, made);
  }
}
