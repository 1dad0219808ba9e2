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

/** Dimensions that name people: kept as pseudonyms unless their plain values are asked for. */
const personal: readonly Dimension[] = ['user', 'client'];

export interface DimensionOptions {
  /** Dimensions that are kept; the others are dropped from every count. */
  readonly dimensions: readonly Dimension[];
  /** What pseudonyms are made with. Default: the key that the ledger was made with. */
  readonly pseudonymKey?: Uint8Array;
  /** Dimensions out of `user` and `client` that are kept as they are. Default: none. */
  readonly plain?: readonly Dimension[];
  /** Values that are always kept, in addition to the architectures that Go knows. */
  readonly known?: KnownValues;
}

/** Days that events can be of beyond those of the window: a part of the first, the current one, and what is ahead. */
const daysBeyondWindow = 3;

/** Decides what of an event's dimensions is kept, and how. */
export class KeptDimensions {
  readonly #options: DimensionOptions;
  #pseudonyms: Pseudonyms;
  /** How many values there may be. */
  readonly caps: Caps;
  /** Where events count. */
  readonly cells: Cells;
  readonly #journal: Pick<Journal, 'valuesOn'>;

  /** `dedupeDays`: events are of so many days. */
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

  /** The ledger has another key from now on. Pseudonyms that were made with the one before stay as they are. */
  useKey(hashKey: Uint8Array): void {
    if (this.#options.pseudonymKey) return;
    this.#pseudonyms = new Pseudonyms(hashKey);
    this.cells.forget();
  }

  /** Reads what the ledger holds of these days, so that values which were told apart stay so. */
  async prepare(days: Iterable<Day>): Promise<void> {
    for (const day of days) {
      if (this.caps.knows(day)) continue;
      const held = new Map<Dimension, readonly HeldValue[]>();
      for (const name of this.#options.dimensions) {
        // Beyond what all may have together come their shares, and values that are always kept.
        held.set(name, await this.#journal.valuesOn(day, name, 2 * valuesTogetherMax(dimensionCaps[name])));
      }
      this.caps.remember(day, held);
    }
  }

  /** Whether nothing has to be read before events of this day can be counted. */
  isPrepared(day: Day): boolean {
    return this.caps.knows(day);
  }

  /** The dimensions as they are counted. */
  #keep(event: Capped, values: DimensionValues, onFold: (dimension: Dimension) => void): DimensionValues {
    const kept: { -readonly [D in Dimension]?: string } = {};
    for (const name of this.#options.dimensions) {
      const value = values[name];
      if (value !== undefined) kept[name] = this.#shown(name, value);
    }
    return this.caps.keep(event, kept, onFold);
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
