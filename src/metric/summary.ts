import type { SummaryPoint } from './family.ts';
import type { Instrument } from './instrument.ts';
import type { LabelSet } from './labels.ts';
import { misuse, shown } from './misuse.ts';

const none: readonly number[] = Object.freeze([]);

/** One series of a summary without quantiles: a count and a sum. For quantiles use a histogram. */
export class Summary implements SummaryPoint {
  readonly labels: LabelSet;
  readonly quantiles = none;
  readonly values = none;
  readonly created: number | undefined;
  readonly #instrument: Instrument;
  #sum = 0;
  #count = 0;

  constructor(instrument: Instrument, labels: LabelSet) {
    this.#instrument = instrument;
    this.labels = labels;
    this.created = instrument.now();
  }

  /** Counts one observation. Throws (`BUG:`) if it is negative or NaN, because the sum of a summary never falls. */
  observe(value: number): void {
    if (!(value >= 0)) this.#refuse(value);
    this.#count++;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#count;
  }

  #refuse(value: unknown): never {
    return misuse(this.#instrument.subjectOf(this.labels), `expected to observe at least 0, got ${shown(value)}`);
  }
}
