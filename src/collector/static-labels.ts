import { LabelNames, labelSet, type LabelSet } from '../metric/index.ts';
import { SourceError } from './source-error.ts';

/** The labels of a source in the configuration, by name. They are added to every series of the source. */
export type StaticLabels = Readonly<Record<string, string>>;

/** Whether no series can have both these labels: a label that both have differs in its value. */
export function tellApart(one: StaticLabels, other: StaticLabels): boolean {
  return Object.entries(one).some(([name, value]) => Object.hasOwn(other, name) && other[name] !== value);
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
