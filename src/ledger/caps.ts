import { limits, Lru } from '../base/index.ts';
import {
  dimensions,
  foldedValue,
  knownArchitectures,
  type Day,
  type Dimension,
  type DimensionValues,
  type HeldValue,
} from '../usage/index.ts';

/**
 * How many values a dimension may have on one day for one organisation. Clients choose repository names and tags, and so
 * could fill the ledger; the values that come first are kept, the rest is counted under `__other__`.
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

/** Values that are always kept, and take no room. */
export type KnownValues = { readonly [D in Dimension]?: readonly string[] };

/** Values of all organisations together, on one day, beyond which each has its share alone. */
export function valuesTogetherMax(cap: number): number {
  return limits.fullOrganisationsPerDay * cap;
}

/** What an organisation may have however many values the others have. */
function shareOf(cap: number): number {
  return Math.ceil(cap / limits.organisationShareDivisor);
}

/** The values that one organisation has of one dimension on one day. */
interface Held {
  readonly values: Set<string>;
  /** There are as many as there may be at all instances: whether one is among those. */
  isAmongAll?: (value: string) => boolean;
}

/** The values of one dimension on one day, by what they take room of. */
interface HeldOn {
  readonly byOwner: Map<string, Held>;
  count: number;
}

type DayValues = Map<Dimension, HeldOn>;

/** Of what the values of one dimension on one day take room (`ownerOf`). */
export interface ValuesOf {
  readonly day: Day;
  readonly dimension: Dimension;
  readonly owner: string;
}

/** Values that are new here. */
export interface NewValues extends ValuesOf {
  readonly values: readonly string[];
}

/** An event whose values are kept under their caps. */
export interface Capped {
  readonly day: Day;
  /** The organisation that it names, kept or not. */
  readonly org: string | undefined;
  /** Its credentials are not bound to this organisation. */
  readonly isStated: boolean;
}

/**
 * The values that were seen of each dimension, by day. Each organisation has its own cap, so that none uses up the values of
 * another. All of them together have a larger one, beyond which each still has a share. Of the days those used last are
 * remembered.
 */
export class Caps {
  readonly #caps: Readonly<Partial<Record<Dimension, number>>>;
  readonly #known: ReadonlyMap<Dimension, ReadonlySet<string>>;
  readonly #days: Lru<DayValues, Day>;
  #current: { readonly day: Day; readonly values: DayValues } | undefined;
  #news: Map<string, ValuesOf & { readonly values: Set<string> }> | undefined;

  /** `daysMax`: days remembered; no fewer than events can be of, or one would begin anew. */
  constructor(
    caps: Readonly<Partial<Record<Dimension, number>>> = dimensionCaps,
    daysMax: number = limits.cappedDaysMax,
    known: KnownValues = {},
  ) {
    this.#caps = caps;
    this.#days = new Lru(daysMax);
    const all: KnownValues = { arch: knownArchitectures, ...known };
    this.#known = new Map(dimensions.map((name) => [name, new Set(all[name])]));
  }

  /** Whether anything is known of a day: else what the ledger holds of it is to be read first. */
  knows(day: Day): boolean {
    return this.#days.get(day) !== undefined;
  }

  /** Notes what the ledger holds of a day already, so that neither a restart nor a late event begins it anew. */
  remember(day: Day, held: ReadonlyMap<Dimension, Iterable<HeldValue>>): void {
    const known = this.#valuesOn(day);
    for (const [dimension, values] of held) {
      for (const { value, org, own, stated } of values) {
        if (value === foldedValue || this.#isKnown(dimension, value)) continue;
        // Own and stated events both have this value, so it takes room of both caps.
        if (own) this.#add(known, { day, dimension, owner: ownerOf(dimension, org, false) }, value);
        if (stated) this.#add(known, { day, dimension, owner: ownerOf(dimension, org, true) }, value);
      }
    }
  }

  /** From now on values that are new are collected for `takeNews`: other instances keep to the same caps. */
  collectNews(): void {
    if (this.#news) return;
    this.#news = new Map();
    for (const [day, known] of this.#days.entries()) {
      for (const [dimension, { byOwner }] of known) {
        for (const [owner, { values }] of byOwner) this.#noteNews({ day, dimension, owner }, values);
      }
    }
  }

  /** The values that were new since this was last asked. */
  takeNews(): readonly NewValues[] {
    const news = [...(this.#news?.values() ?? [])];
    this.#news?.clear();
    return news.map(({ values, ...of }) => ({ ...of, values: [...values] }));
  }

  /** Gives back what was taken, for the next time. */
  returnNews({ values, ...of }: NewValues): void {
    this.#noteNews(of, values);
  }

  /** An organisation has as many values as it may on this day at all instances: further ones are `__other__` from now on. */
  close({ day, dimension, owner }: ValuesOf, isAmongAll: (value: string) => boolean): void {
    const held = this.#days.get(day)?.get(dimension)?.byOwner.get(owner);
    if (held) held.isAmongAll = isAmongAll;
  }

  /**
   * The dimensions under their caps: the same object when nothing is beyond one. `onFold` is called for each dimension whose
   * value had to become `__other__`.
   */
  keep(event: Capped, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const known = this.#valuesOn(event.day);
    let kept = values;
    // First, since the others count for it.
    const { org = event.org, ...others } = values;
    if (values.org !== undefined && !this.#admit(known, event, 'org', values.org, undefined)) {
      kept = { ...kept, org: foldedValue };
      onFold('org');
    }
    const owner = kept.org ?? org;
    let name: keyof typeof others;
    for (name in others) {
      const value = others[name];
      if (value === undefined || this.#admit(known, event, name, value, owner)) continue;
      kept = { ...kept, [name]: foldedValue };
      onFold(name);
    }
    return kept;
  }

  #valuesOn(day: Day): DayValues {
    if (this.#current?.day === day) return this.#current.values;
    let values = this.#days.get(day);
    if (!values) this.#days.set(day, (values = new Map()));
    this.#current = { day, values };
    return values;
  }

  #isKnown(dimension: Dimension, value: string): boolean {
    return this.#known.get(dimension)?.has(value) === true;
  }

  #admit(
    known: DayValues,
    { day, isStated }: Capped,
    dimension: Dimension,
    value: string,
    org: string | undefined,
  ): boolean {
    if (value === foldedValue || this.#isKnown(dimension, value)) return true;
    const of = known.get(dimension);
    // A value that is kept stays kept for every sender.
    if (isHeld(of, ownerOf(dimension, org, !isStated), value)) return true;
    const owner = ownerOf(dimension, org, isStated);
    const held = of?.byOwner.get(owner);
    if (held?.values.has(value)) return true;
    if (!(held?.isAmongAll?.(value) ?? this.#hasRoom(dimension, of?.count ?? 0, held?.values.size ?? 0))) return false;
    this.#add(known, { day, dimension, owner }, value);
    return true;
  }

  #hasRoom(dimension: Dimension, together: number, own: number): boolean {
    const cap = this.#caps[dimension] ?? Infinity;
    return own < cap && (together < valuesTogetherMax(cap) || own < shareOf(cap));
  }

  #add(known: DayValues, of: ValuesOf, value: string): void {
    let heldOn = known.get(of.dimension);
    if (heldOn === undefined) known.set(of.dimension, (heldOn = { byOwner: new Map<string, Held>(), count: 0 }));
    let held = heldOn.byOwner.get(of.owner);
    if (held === undefined) heldOn.byOwner.set(of.owner, (held = { values: new Set() }));
    if (held.values.has(value)) return;
    held.values.add(value);
    heldOn.count++;
    if (!held.isAmongAll) this.#noteNews(of, [value]);
  }

  #noteNews(of: ValuesOf, values: Iterable<string>): void {
    if (!this.#news) return;
    const key = `${of.day} ${of.dimension} ${of.owner}`;
    let news = this.#news.get(key);
    if (news === undefined) this.#news.set(key, (news = { ...of, values: new Set() }));
    for (const value of values) news.values.add(value);
  }
}

function isHeld(of: HeldOn | undefined, owner: string, value: string): boolean {
  return of?.byOwner.get(owner)?.values.has(value) === true;
}

/**
 * What a value takes room of. What others state for an organisation takes none of what its own credentials send; and
 * organisations themselves, of which others can make up any number, are of two kinds in the same way.
 */
function ownerOf(dimension: Dimension, org: string | undefined, isStated: boolean): string {
  const of = dimension === 'org' ? '' : (org ?? '');
  return isStated ? `stated ${of}` : of;
}
