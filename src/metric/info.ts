import type { InfoPoint } from './family.ts';
import type { Instrument } from './instrument.ts';
import { labelSet, noLabels, type LabelSet } from './labels.ts';
import { misuse } from './misuse.ts';

/** One series of an info family: facts that change rarely, such as a version. */
export class Info implements InfoPoint {
  readonly labels: LabelSet;
  readonly #instrument: Instrument;
  #info = noLabels;

  constructor(instrument: Instrument, labels: LabelSet) {
    this.#instrument = instrument;
    this.labels = labels;
  }

  /** Replaces the facts. Throws (`BUG:`) if a fact has the name of an identifying label. */
  set(info: Readonly<Record<string, string>>): void {
    const overlap = this.labels.names.find((name) => Object.hasOwn(info, name));
    if (overlap !== undefined) {
      misuse(
        this.#instrument.subjectOf(this.labels),
        `label ${overlap} identifies the metric and cannot also be a fact`,
      );
    }
    this.#info = labelSet(info);
  }

  get info(): LabelSet {
    return this.#info;
  }
}
