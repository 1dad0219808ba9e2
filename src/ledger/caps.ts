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

/** What is known of the values of one dimension on one day. */
interface Known {
  values: Set<string>;
  /** There are as many as there may be at all instances: whether one is among those. */
  isAmongAll?: (value: string) => boolean;
}

type KnownValues = Map<Dimension, Known>;

/** Values that are new here, of one dimension on one day. */
export interface NewValues {
  readonly day: Day;
  readonly dimension: Dimension;
  readonly values: readonly string[];
}

/** The values that were seen of each dimension, by day. Of the days those used last are remembered. */
export class Caps {
  readonly #caps: Readonly<Partial<Record<Dimension, number>>>;
  readonly #daysMax: number;
  readonly #days = new Map<Day, KnownValues>();
  #current: { readonly day: Day; readonly known: KnownValues } | undefined;
  #news: Map<string, { readonly day: Day; readonly dimension: Dimension; readonly values: Set<string> }> | undefined;

  /** `daysMax`: days remembered; no fewer than events can be of, or one would begin anew. */
  constructor(
    caps: Readonly<Partial<Record<Dimension, number>>> = dimensionCaps,
    daysMax: number = limits.cappedDaysMax,
  ) {
    this.#caps = caps;
    this.#daysMax = daysMax;
  }

  /** Whether anything is known of a day: else what the ledger holds of it is to be read first. */
  knows(day: Day): boolean {
    return this.#days.has(day);
  }

  /** Notes what the ledger holds of a day already, so that neither a restart nor a late event begins it anew. */
  remember(day: Day, held: ReadonlyMap<Dimension, Iterable<string>>): void {
    const known = this.#knownOn(day);
    for (const [name, values] of held) {
      const all = new Set([...values, ...(known.get(name)?.values ?? [])]);
      known.set(name, { ...known.get(name), values: all });
      this.#noteNews(day, name, all);
    }
  }

  /** From now on values that are new are collected for `takeNews`: other instances keep to the same caps. */
  collectNews(): void {
    if (this.#news) return;
    this.#news = new Map();
    for (const [day, known] of this.#days) for (const [name, { values }] of known) this.#noteNews(day, name, values);
  }

  /** The values that were new since this was last asked. */
  takeNews(): readonly NewValues[] {
    const news = [...(this.#news?.values() ?? [])].filter(({ values }) => values.size > 0);
    this.#news?.clear();
    return news.map(({ values, ...of }) => ({ ...of, values: [...values] }));
  }

  /** Gives back what was taken, for the next time. */
  returnNews({ day, dimension, values }: NewValues): void {
    this.#noteNews(day, dimension, values);
  }

  /** A dimension has as many values as it may on this day at all instances: further ones are `__other__` from now on. */
  close(day: Day, dimension: Dimension, isAmongAll: (value: string) => boolean): void {
    const known = this.#days.get(day);
    const values = known?.get(dimension)?.values;
    if (values) known?.set(dimension, { values, isAmongAll });
  }

  /**
   * The dimensions under their caps: the same object when nothing is beyond one. `onFold` is told of each dimension
   * whose value had to become `__other__`.
   */
  keep(day: Day, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const known = this.#knownOn(day);
    let kept = values;
    let name: Dimension;
    for (name in values) {
      const value = values[name];
      if (value === undefined || value === foldedValue || this.#admit(known, day, name, value)) continue;
      kept = { ...kept, [name]: foldedValue };
      onFold(name);
    }
    return kept;
  }

  #knownOn(day: Day): KnownValues {
    if (this.#current?.day === day) return this.#current.known;
    const known = this.#days.get(day) ?? new Map<Dimension, Known>();
    // Behind all others, since it is the one used last.
    this.#days.delete(day);
    this.#days.set(day, known);
    const [oldest = day] = this.#days.keys();
    if (this.#days.size > this.#daysMax) this.#days.delete(oldest);
    this.#current = { day, known };
    return known;
  }

  #admit(known: KnownValues, day: Day, name: Dimension, value: string): boolean {
    let of = known.get(name);
    if (of === undefined) known.set(name, (of = { values: new Set() }));
    if (of.values.has(value)) return true;
    if (!(of.isAmongAll?.(value) ?? of.values.size < (this.#caps[name] ?? Infinity))) return false;
    of.values.add(value);
    if (!of.isAmongAll) this.#noteNews(day, name, [value]);
    return true;
  }

  #noteNews(day: Day, dimension: Dimension, values: Iterable<string>): void {
    if (!this.#news) return;
    const key = `${day} ${dimension}`;
    const news = this.#news.get(key) ?? { day, dimension, values: new Set<string>() };
    for (const value of values) news.values.add(value);
    this.#news.set(key, news);
  }
}
