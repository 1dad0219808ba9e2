import type { CounterPoint, Exemplar } from './family.ts';
import type { Instrument } from './instrument.ts';
import type { LabelSet } from './labels.ts';
import { misuse, shown } from './misuse.ts';

/** One series of a counter: a total that only rises. It is its own point, so a scrape allocates nothing. */
export class Counter implements CounterPoint {
  readonly labels: LabelSet;
  readonly created: number | undefined;
  readonly #instrument: Instrument;
  #value = 0;
  #exemplar: Exemplar | undefined;

  constructor(instrument: Instrument, labels: LabelSet) {
    this.#instrument = instrument;
    this.labels = labels;
    this.created = instrument.now();
  }

  /**
   * Adds `amount` (default 1). Throws (`BUG:`) if it is negative, NaN or infinite. Totals are doubles and
   * round beyond 2^53; a family of `bigint` points (`MetricSet.add`) stays exact.
   */
  inc(amount = 1): void {
    if (!(amount >= 0 && amount < Infinity)) this.#refuse(amount);
    this.#value += amount;
  }

  /** Adds like `inc` and replaces the exemplar. `labels` hold, for example, a trace id. */
  incWithExemplar(amount: number, labels: Readonly<Record<string, string>>): void {
    this.inc(amount);
    this.#exemplar = this.#instrument.exemplar(labels, amount);
  }

  get value(): number {
    return this.#value;
  }

  get exemplar(): Exemplar | undefined {
    return this.#exemplar;
  }

  #refuse(amount: unknown): never {
    return misuse(
      this.#instrument.subjectOf(this.labels),
      `expected a finite increment of at least 0, got ${shown(amount)}`,
    );
  }
}
