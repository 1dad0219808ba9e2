import type { GaugePoint } from './family.ts';
import type { Instrument } from './instrument.ts';
import type { LabelSet } from './labels.ts';
import { misuse, shown } from './misuse.ts';

/** One series of a gauge: a value that goes up and down. */
export class Gauge implements GaugePoint {
  readonly labels: LabelSet;
  readonly #instrument: Instrument;
  #value = 0;

  constructor(instrument: Instrument, labels: LabelSet) {
    this.#instrument = instrument;
    this.labels = labels;
  }

  /** Sets any number. Infinities and NaN are values too; NaN does not mean "missing". */
  set(value: number): void {
    if (typeof value !== 'number') this.#refuse(value);
    this.#value = value;
  }

  /** Adds `amount` (default 1). Throws (`BUG:`) for NaN, because the value would stay NaN. */
  inc(amount = 1): void {
    if (!(amount >= -Infinity)) this.#refuse(amount);
    this.#value += amount;
  }

  /** Subtracts `amount` (default 1). Throws as `inc`. */
  dec(amount = 1): void {
    if (!(amount >= -Infinity)) this.#refuse(amount);
    this.#value -= amount;
  }

  get value(): number {
    return this.#value;
  }

  #refuse(value: unknown): never {
    return misuse(this.#instrument.subjectOf(this.labels), `expected a number, got ${shown(value)}`);
  }
}
