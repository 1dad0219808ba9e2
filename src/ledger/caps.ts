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
 * How many values a dimension may have on one day for one organisation. Clients choose repository names and tags, so
 * they could fill the ledger. The first values are kept; the ledger counts further ones under `__other__`.
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

/** Values that are always kept, and do not count towards a cap. */
export type KnownValues = { readonly [D in Dimension]?: readonly string[] };

/** How many values all organisations together may have on one day. Beyond that, each has only its share. */
export function valuesTogetherMax(cap: number): number {
  return limits.fullOrganisationsPerDay * cap;
}

/** How many values an organisation may have, however many the others have. */
function shareOf(cap: number): number {
  return Math.ceil(cap / limits.organisationShareDivisor);
}

/** The values that one organisation has of one dimension on one day. */
interface Held {
  readonly values: Set<string>;
  /** Set once all instances together have reached the cap: whether a value is one of those that they have. */
  isAmongAll?: (value: string) => boolean;
}

/** The values of one dimension on one day, by their owner (`ownerOf`). */
interface HeldOn {
  readonly byOwner: Map<string, Held>;
  count: number;
}

type DayValues = Map<Dimension, HeldOn>;

/** The owner (`ownerOf`) of values of one dimension on one day. */
export interface ValuesOf {
  readonly day: Day;
  readonly dimension: Dimension;
  readonly owner: string;
}

/** Values that are new at this instance. */
export interface NewValues extends ValuesOf {
  readonly values: readonly string[];
}

/** An event to whose values the caps apply. */
export interface Capped {
  readonly day: Day;
  /** The organisation that the event names, whether the ledger keeps it or not. */
  readonly org: string | undefined;
  /** Whether the credentials of its sender are not bound to this organisation. */
  readonly isStated: boolean;
}

/**
 * The values of each dimension, by day. Each organisation has its own cap, so no organisation uses up the values of another.
 * All organisations together have a larger cap, beyond which each still has a share. Remembers the days that were used last.
 */
export class Caps {
  readonly #caps: Readonly<Partial<Record<Dimension, number>>>;
  readonly #known: ReadonlyMap<Dimension, ReadonlySet<string>>;
  readonly #days: Lru<DayValues, Day>;
  #current: { readonly day: Day; readonly values: DayValues } | undefined;
  #newValues: Map<string, ValuesOf & { readonly values: Set<string> }> | undefined;

  /** `daysMax`: days to remember. Must cover all days of events, since a forgotten day starts with no values. */
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

  /** Whether the day is known. Otherwise the caller first reads what the ledger holds of it, and calls `remember`. */
  knows(day: Day): boolean {
    return this.#days.has(day);
  }

  /** Adds the values that the ledger already holds for a day, so a restart or a late event does not reset the caps. */
  remember(day: Day, held: ReadonlyMap<Dimension, Iterable<HeldValue>>): void {
    const known = this.#valuesOn(day);
    for (const [dimension, values] of held) {
      for (const { value, org, own, stated } of values) {
        if (value === foldedValue || this.#isKnown(dimension, value)) continue;
        // Own and stated events both have this value, so it counts towards both caps.
        if (own) this.#add(known, { day, dimension, owner: ownerOf(dimension, org, false) }, value);
        if (stated) this.#add(known, { day, dimension, owner: ownerOf(dimension, org, true) }, value);
      }
    }
  }

  /** Starts to collect new values for `takeNewValues`, since other instances share the same caps. */
  collectNewValues(): void {
    if (this.#newValues) return;
    this.#newValues = new Map();
    for (const [day, known] of this.#days.entries()) {
      for (const [dimension, { byOwner }] of known) {
        for (const [owner, { values }] of byOwner) this.#addNewValues({ day, dimension, owner }, values);
      }
    }
  }

  /** The values that are new since the last call. */
  takeNewValues(): readonly NewValues[] {
    const news = [...(this.#newValues?.values() ?? [])];
    this.#newValues?.clear();
    return news.map(({ values, ...of }) => ({ ...of, values: [...values] }));
  }

  /** Puts values back for the next `takeNewValues`. */
  returnNewValues({ values, ...of }: NewValues): void {
    this.#addNewValues(of, values);
  }

  /** The instances together have reached a cap: from now on, values that none of them has become `__other__`. */
  close({ day, dimension, owner }: ValuesOf, isAmongAll: (value: string) => boolean): void {
    const held = this.#days.get(day)?.get(dimension)?.byOwner.get(owner);
    if (held) held.isAmongAll = isAmongAll;
  }

  /**
   * Applies the caps to the dimensions of an event. Answers the same object if no value exceeds a cap. Calls `onFold`
   * for each dimension whose value becomes `__other__`.
   */
  keep(event: Capped, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const known = this.#valuesOn(event.day);
    let kept = values;
    // First, since it is the owner of the other values.
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
    // A value that is kept for one kind of sender is kept for both.
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
    if (!held.isAmongAll) this.#addNewValues(of, [value]);
  }

  #addNewValues(of: ValuesOf, values: Iterable<string>): void {
    if (!this.#newValues) return;
    const key = `${of.day} ${of.dimension} ${of.owner}`;
    let news = this.#newValues.get(key);
    if (news === undefined) this.#newValues.set(key, (news = { ...of, values: new Set() }));
    for (const value of values) news.values.add(value);
  }
}

function isHeld(of: HeldOn | undefined, owner: string, value: string): boolean {
  return of?.byOwner.get(owner)?.values.has(value) === true;
}

/**
 * The owner of the cap that a value counts towards. Values that other credentials state for an organisation have a cap
 * of their own, so they do not use up what the organisation itself sends. The same holds for the names of
 * organisations, since unbound credentials can make up any number of them.
 */
function ownerOf(dimension: Dimension, org: string | undefined, isStated: boolean): string {
  const of = dimension === 'org' ? '' : (org ?? '');
  return isStated ? `stated ${of}` : of;
}
