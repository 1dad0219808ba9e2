import { limits } from '../base/index.ts';
import type { Journal, Store } from '../store/index.ts';
import {
  Pseudonyms,
  type Day,
  type Dimension,
  type DimensionValues,
  type HeldValue,
  type UsageQuery,
} from '../usage/index.ts';
import { Cells } from './cells.ts';
import { Caps, dimensionCaps, valuesTogetherMax, type Capped, type KnownValues } from './caps.ts';
import type { LedgerInstruments } from './metrics.ts';

/** Dimensions that name people: kept as pseudonyms, unless the configuration asks for plain values. */
const personal: readonly Dimension[] = ['user', 'client'];

export interface DimensionOptions {
  /** Dimensions to keep. All others are dropped from every count. */
  readonly dimensions: readonly Dimension[];
  /** The key of pseudonyms. Default: the secret of the ledger. */
  readonly pseudonymKey?: Uint8Array;
  /** Those of `user` and `client` that are kept as plain values. Default: none. */
  readonly plain?: readonly Dimension[];
  /** Values that are always kept, in addition to the architectures that Go knows. */
  readonly known?: KnownValues;
}

/** Days that events can have in addition to `dedupeDays`: the first one in part, the current one, and one ahead. */
const daysBeyondWindow = 3;

/** Decides which dimensions of an event the ledger keeps, and in which form. */
export class KeptDimensions {
  readonly #options: DimensionOptions;
  #pseudonyms: Pseudonyms;
  /** The caps on the number of values. */
  readonly caps: Caps;
  /** The cells of events. */
  readonly cells: Cells;
  readonly #journal: Pick<Journal, 'valuesOn'>;

  /** `dedupeDays`: how many days back the time of an event can be. */
  constructor(
    options: DimensionOptions,
    dedupeDays: number,
    store: Pick<Store, 'keyHash' | 'journal'>,
    instruments: LedgerInstruments,
  ) {
    this.#options = options;
    this.#pseudonyms = new Pseudonyms(options.pseudonymKey ?? store.keyHash.secret);
    const daysMax = Math.max(limits.cappedDaysMax, dedupeDays + daysBeyondWindow);
    this.caps = new Caps(dimensionCaps, daysMax, options.known);
    this.#journal = store.journal;
    this.cells = new Cells(
      options.dimensions,
      (event, values, onFold) => this.#keep(event, values, onFold),
      (dimension) => instruments.foldedValues.labels({ dimension }).inc(),
    );
  }

  /** Switches to another key for new pseudonyms. Existing pseudonyms do not change. */
  useKey(hashKey: Uint8Array): void {
    if (this.#options.pseudonymKey) return;
    this.#pseudonyms = new Pseudonyms(hashKey);
    this.cells.forget();
  }

  /** Reads the values that the ledger holds of these days, so that they stay under the caps. */
  async prepare(days: Iterable<Day>): Promise<void> {
    for (const day of days) {
      if (this.caps.knows(day)) continue;
      const held = new Map<Dimension, readonly HeldValue[]>();
      for (const name of this.#options.dimensions) {
        // Twice the maximum, since shares and values that are always kept come on top of it.
        held.set(name, await this.#journal.valuesOn(day, name, 2 * valuesTogetherMax(dimensionCaps[name])));
      }
      this.caps.remember(day, held);
    }
  }

  /** Whether events of this day can be counted without reading anything first. */
  isPrepared(day: Day): boolean {
    return this.caps.knows(day);
  }

  /** The dimensions of the event's cell. */
  #keep(event: Capped, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const kept: { -readonly [D in Dimension]?: string } = {};
    for (const name of this.#options.dimensions) {
      const value = values[name];
      if (value !== undefined) kept[name] = this.#keptForm(name, value);
    }
    return this.caps.keep(event, kept, onFold);
  }

  /** Replaces the plain names of people in a query by their pseudonyms. */
  translate(query: UsageQuery): UsageQuery {
    const where: { -readonly [D in Dimension]?: string | null } = { ...query.where };
    for (const name of personal) {
      const value = where[name];
      if (typeof value === 'string') where[name] = this.#keptForm(name, value);
    }
    return { ...query, where };
  }

  #keptForm(name: Dimension, value: string): string {
    if (!personal.includes(name) || this.#options.plain?.includes(name) === true) return value;
    return this.#pseudonyms.of(name, value);
  }
}
