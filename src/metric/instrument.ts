import type { Clock } from '../base/index.ts';
import type { Exemplar, MetricType } from './family.ts';
import { labelSet, type LabelSet } from './labels.ts';
import { misuse } from './misuse.ts';

/** Most code points of an exemplar's label names and values in total (OpenMetrics 1.0, "Exemplars"). */
const exemplarCodePointsMax = 128;

/** The parts that all series of one instrument share: the subject of error messages, and the clock. */
export class Instrument {
  /** The family in error messages, such as `counter jobs`. */
  readonly subject: string;
  readonly #clock: Clock | undefined;

  constructor(type: MetricType, name: string, clock: Clock | undefined) {
    this.subject = `${type} ${name}`;
    this.#clock = clock;
  }

  /** One series in error messages. */
  subjectOf(labels: LabelSet): string {
    return labels.text === '' ? this.subject : `${this.subject}{${labels.text}}`;
  }

  /** Unix time in seconds; `undefined` without a clock. */
  now(): number | undefined {
    return this.#clock && this.#clock.now() / 1000;
  }

  /** An exemplar with the current time. Throws (`BUG:`) if its labels are longer than the format allows. */
  exemplar(labels: Readonly<Record<string, string>>, value: number): Exemplar {
    let codePoints = 0;
    for (const entry of Object.entries(labels)) codePoints += Array.from(entry.join('')).length;
    if (codePoints > exemplarCodePointsMax) {
      misuse(
        this.subject,
        `expected exemplar labels of at most ${exemplarCodePointsMax} characters, got ${codePoints}`,
      );
    }
    return { labels: labelSet(labels), value, timestamp: this.now() };
  }
}
