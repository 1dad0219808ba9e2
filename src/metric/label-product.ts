import { escapeLabelValue, isAsciiText, LabelNames, type LabelSet } from './labels.ts';
import { misuse } from './misuse.ts';

/** The value of a label; `undefined` if the label set does not have the label. */
export type OptionalValue = string | undefined;

/** The names of a label set up to some label. All label sets with the same names share one `LabelNames`. */
class Form {
  readonly #names: readonly string[];
  readonly #longer = new Map<string, Form>();
  #shared: LabelNames | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get shared(): LabelNames {
    this.#shared ??= new LabelNames(this.#names);
    return this.#shared;
  }

  with(name: string): Form {
    let longer = this.#longer.get(name);
    if (longer === undefined) {
      longer = new Form([...this.#names, name]);
      this.#longer.set(name, longer);
    }
    return longer;
  }
}

/**
 * Label sets of one family. Their labels have one order, and a set may lack some of them, but not the last. Equal labels
 * have equal texts, so `closed` identifies a series.
 */
export class LabelProduct {
  readonly #names: readonly string[];
  readonly #none = new Form([]);

  /** The names must be distinct legacy names, at least one. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The label set with these values, in the order of the names. */
  of(values: readonly OptionalValue[]): LabelSet {
    let form = this.#none;
    let text = '';
    for (const [index, name] of this.#names.entries()) {
      const value = values[index];
      text += this.#text(index, value);
      if (value !== undefined) form = form.with(name);
    }
    return form.shared.set(text);
  }

  /** The label sets of all combinations of values, one list of values for each name. The last name changes first. */
  *all(lists: readonly (readonly OptionalValue[])[]): Generator<LabelSet, void> {
    if (this.#names.some((_, index) => (lists[index] ?? []).length === 0)) return;
    const texts = this.#names.map((_, index) => lists[index]?.map((value) => this.#text(index, value)) ?? []);
    const isAscii = texts.every((list) => list.every(isAsciiText));
    const at = this.#names.map(() => 0);
    const prefixes = [''];
    const forms = [this.#none];
    for (let level = 0; level >= 0;) {
      for (; level < this.#names.length; level++) {
        const choice = at[level] ?? 0;
        const form = forms[level] ?? this.#none;
        // Testing a text also joins its parts in memory: once for all sets that begin with it, instead of for each.
        if ((texts[level]?.length ?? 0) > 1) isAsciiText(prefixes[level] ?? '');
        prefixes[level + 1] = `${prefixes[level]}${texts[level]?.[choice]}`;
        forms[level + 1] = lists[level]?.[choice] === undefined ? form : form.with(this.#names[level] ?? '');
      }
      yield (forms[level] ?? this.#none).shared.set(prefixes[level] ?? '', isAscii || undefined);
      level--;
      while (level >= 0 && (at[level] = (at[level] ?? 0) + 1) === texts[level]?.length) at[level--] = 0;
    }
  }

  /** What a label with this value adds to the text of a label set. */
  #text(index: number, value: OptionalValue): string {
    const name = this.#names[index];
    const isLast = index === this.#names.length - 1;
    if (value !== undefined) return `${name}="${escapeLabelValue(value)}"${isLast ? '} ' : ','}`;
    if (isLast) misuse('label product', `expected a value of the last label, ${name}, in every label set`);
    return '';
  }
}
