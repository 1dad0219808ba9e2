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

/** The values that were seen of each dimension on the current day. */
export class Caps {
  readonly #caps: Readonly<Partial<Record<Dimension, number>>>;
  readonly #seen = new Map<Dimension, Set<string>>();
  #day: Day;

  /** `seenToday`: what the ledger holds of `today` already, so that a restart does not begin anew. */
  constructor(
    today: Day,
    seenToday: ReadonlyMap<Dimension, Iterable<string>>,
    caps: Readonly<Partial<Record<Dimension, number>>> = dimensionCaps,
  ) {
    this.#day = today;
    this.#caps = caps;
    for (const [name, values] of seenToday) this.#seen.set(name, new Set(values));
  }

  /**
   * The dimensions under their caps: the same object when nothing is beyond one. `onFold` is told of each dimension
   * whose value had to become `__other__`. A clock that jumps back a day begins that day anew.
   */
  keep(day: Day, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    if (day !== this.#day) {
      this.#day = day;
      this.#seen.clear();
    }
    let kept = values;
    let name: Dimension;
    for (name in values) {
      const value = values[name];
      if (value === undefined || value === foldedValue || this.#admit(name, value)) continue;
      kept = { ...kept, [name]: foldedValue };
      onFold(name);
    }
    return kept;
  }

  #admit(name: Dimension, value: string): boolean {
    let seen = this.#seen.get(name);
    if (seen === undefined) this.#seen.set(name, (seen = new Set()));
    if (seen.has(value)) return true;
    if (seen.size >= (this.#caps[name] ?? Infinity)) return false;
    seen.add(value);
    return true;
  }
}
