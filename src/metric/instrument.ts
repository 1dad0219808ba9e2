import type { Clock } from '../base/index.ts';
import type { Exemplar, MetricType } from './family.ts';
import { labelSet, type LabelSet } from './labels.ts';
import { misuse } from './misuse.ts';

/** Code points of an exemplar's label names and values together (OpenMetrics 1.0, "Exemplars"). */
const exemplarCodePointsMax = 128;

/** What all series of one instrument share: how messages name them, and the time. */
export class Instrument {
  /** Names the family in messages, such as `counter jobs`. */
  readonly subject: string;
  readonly #clock: Clock | undefined;

  constructor(type: MetricType, name: string, clock: Clock | undefined) {
    this.subject = `${type} ${name}`;
    this.#clock = clock;
  }

  /** Names one series in a message. */
  subjectOf(labels: LabelSet): string {
    return labels.text === '' ? this.subject : `${this.subject}{${labels.text}}`;
  }

  /** Unix time in seconds; undefined without a clock. */
  now(): number | undefined {
    return this.#clock === undefined ? undefined : this.#clock.now() / 1000;
  }

  /** An exemplar of now. Throws (`BUG:`) if its labels are longer than the format allows. */
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
