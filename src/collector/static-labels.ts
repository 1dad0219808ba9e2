import { LabelNames, labelSet, type LabelSet } from '../metric/index.ts';
import { SourceError } from './source-error.ts';

/** The labels of a source in the configuration, by name. They are added to every series of the source. */
export type StaticLabels = Readonly<Record<string, string>>;

/** The labels of the series of one source. */
export interface SeriesLabels {
  readonly labels: StaticLabels;
  /** The names of all labels of its series, static ones included. */
  readonly labelNames: ReadonlySet<string>;
}

/**
 * Whether no series of two sources can be the same. Each must have static labels, and one of these must have another
 * value in the other source, or be absent from all its series.
 */
export function areApart(one: SeriesLabels, other: SeriesLabels): boolean {
  const [ofOne, ofOther] = [one, other].map(({ labels }) => Object.entries(labels).filter(([, value]) => value !== ''));
  if (ofOne === undefined || ofOther === undefined || ofOne.length === 0 || ofOther.length === 0) return false;
  return (
    ofOne.some(([name, value]) => (other.labels[name] ?? value) !== value || !other.labelNames.has(name)) ||
    ofOther.some(([name]) => !one.labelNames.has(name))
  );
}

/** Adds the static labels of a source to label sets. Sets that share their names share them afterwards too. */
export class LabelAdder {
  readonly #added: LabelSet;
  #names: readonly string[] | undefined;
  #combined = new LabelNames([]);

  constructor(labels: StaticLabels) {
    this.#added = labelSet(labels);
  }

  /** The static labels followed by `labels`. Throws `SourceError` (`invalid`) if both have one name. `subject`: the family. */
  add(subject: string, labels: LabelSet): LabelSet {
    if (this.#added.names.length === 0) return labels;
    if (labels.names !== this.#names) this.#combine(subject, labels.names);
    return this.#combined.set(labels.closed === '' ? this.#added.closed : `${this.#added.text},${labels.closed}`);
  }

  /** Rejects static labels that the series of a family already have. */
  reject(subject: string, names: readonly string[]): void {
    const clash = this.#added.names.find((name) => names.includes(name));
    if (clash === undefined) return;
    throw new SourceError(
      'invalid',
      `${subject}: expected static labels that its series do not have, got ${JSON.stringify(clash)}`,
    );
  }

  #combine(subject: string, names: readonly string[]): void {
    this.reject(subject, names);
    this.#combined = new LabelNames([...this.#added.names, ...names]);
    this.#names = names;
  }
}
