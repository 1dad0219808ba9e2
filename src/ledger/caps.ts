import { limits } from '../base/index.ts';
import { foldedValue, type Day, type Dimension, type DimensionValues } from '../usage/index.ts';

/**
 * How many values a dimension may have on one day. Clients choose repository names and tags, and so could fill the
 * ledger; what comes first is kept, the rest is counted under `__other__`.
 */
export const dimensionCaps: Readonly<Record<Dimension, number>> = {
  org: limits.orgsPerDayMax,
  arch: limits.architecturesPerDayMax,
  upstream: limits.upstreamsPerDayMax,
  repository: limits.repositoriesPerDayMax,
  tag: limits.tagsPerDayMax,
  outcome: limits.outcomesPerDayMax,
  user: limits.usersPerDayMax,
  client: limits.clientsPerDayMax,
};

type SeenValues = Map<Dimension, Set<string>>;

/** The values that were seen of each dimension, by day. Of the days those used last are remembered. */
export class Caps {
  readonly #caps: Readonly<Partial<Record<Dimension, number>>>;
  readonly #days = new Map<Day, SeenValues>();
  #current: { readonly day: Day; readonly seen: SeenValues } | undefined;

  constructor(caps: Readonly<Partial<Record<Dimension, number>>> = dimensionCaps) {
    this.#caps = caps;
  }

  /** Whether anything is known of a day: else what the ledger holds of it is to be read first. */
  knows(day: Day): boolean {
    return this.#days.has(day);
  }

  /** Notes what the ledger holds of a day already, so that neither a restart nor a late event begins it anew. */
  remember(day: Day, held: ReadonlyMap<Dimension, Iterable<string>>): void {
    const seen = this.#seenOn(day);
    for (const [name, values] of held) seen.set(name, new Set([...values, ...(seen.get(name) ?? [])]));
  }

  /**
   * The dimensions under their caps: the same object when nothing is beyond one. `onFold` is told of each dimension
   * whose value had to become `__other__`.
   */
  keep(day: Day, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const seen = this.#seenOn(day);
    let kept = values;
    let name: Dimension;
    for (name in values) {
      const value = values[name];
      if (value === undefined || value === foldedValue || this.#admit(seen, name, value)) continue;
      kept = { ...kept, [name]: foldedValue };
      onFold(name);
    }
    return kept;
  }

  #seenOn(day: Day): SeenValues {
    if (this.#current?.day === day) return this.#current.seen;
    const seen = this.#days.get(day) ?? new Map<Dimension, Set<string>>();
    // Behind all others, since it is the one used last.
    this.#days.delete(day);
    this.#days.set(day, seen);
    const [oldest = day] = this.#days.keys();
    if (this.#days.size > limits.cappedDaysMax) this.#days.delete(oldest);
    this.#current = { day, seen };
    return seen;
  }

  #admit(seen: SeenValues, name: Dimension, value: string): boolean {
    let values = seen.get(name);
    if (values === undefined) seen.set(name, (values = new Set()));
    if (values.has(value)) return true;
    if (values.size >= (this.#caps[name] ?? Infinity)) return false;
    values.add(value);
    return true;
  }
}
