import type { Store } from '../store/index.ts';
import { Pseudonyms, type Day, type Dimension, type DimensionValues, type UsageQuery } from '../usage/index.ts';
import { Caps, dimensionCaps } from './caps.ts';
import type { LedgerInstruments } from './metrics.ts';

/** Dimensions that name people: kept as pseudonyms unless their plain values are asked for. */
const personal: readonly Dimension[] = ['user', 'client'];

export interface DimensionOptions {
  /** Dimensions that are kept; the others are dropped from every count. */
  readonly dimensions: readonly Dimension[];
  /** Dimensions out of `user` and `client` that are kept as they are. Default: none. */
  readonly plain?: readonly Dimension[];
}

/** Decides what of an event's dimensions is kept, and how. */
export class KeptDimensions {
  readonly #options: DimensionOptions;
  readonly #pseudonyms: Pseudonyms;
  readonly #caps: Caps;
  readonly #instruments: LedgerInstruments;

  constructor(options: DimensionOptions, hashKey: Uint8Array, caps: Caps, instruments: LedgerInstruments) {
    this.#options = options;
    this.#pseudonyms = new Pseudonyms(hashKey);
    this.#caps = caps;
    this.#instruments = instruments;
  }

  /** The dimensions as they are counted on `day`. */
  keep(day: Day, values: DimensionValues): DimensionValues {
    const kept: { -readonly [D in Dimension]?: string } = {};
    for (const name of this.#options.dimensions) {
      const value = values[name];
      if (value !== undefined) kept[name] = this.#shown(name, value);
    }
    return this.#caps.keep(day, kept, (dimension) => this.#instruments.foldedValues.labels({ dimension }).inc());
  }

  /** A question about people, asked with their plain names, as the ledger knows them. */
  translate(query: UsageQuery): UsageQuery {
    const where: { -readonly [D in Dimension]?: string | null } = { ...query.where };
    for (const name of personal) {
      const value = where[name];
      if (typeof value === 'string') where[name] = this.#shown(name, value);
    }
    return { ...query, where };
  }

  #shown(name: Dimension, value: string): string {
    if (!personal.includes(name) || this.#options.plain?.includes(name) === true) return value;
    return this.#pseudonyms.of(name, value);
  }
}

/** What the ledger holds of today, up to each dimension's cap: who came first stays first after a restart. */
export async function openCaps(store: Pick<Store, 'totals'>, today: Day, names: readonly Dimension[]): Promise<Caps> {
  const seen = new Map<Dimension, readonly string[]>();
  for (const name of names) seen.set(name, await store.totals.valuesOn(today, name, dimensionCaps[name]));
  return new Caps(today, seen);
}
