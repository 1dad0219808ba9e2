import { misuse, shown } from './misuse.ts';
import { labelNamesProblem } from './label-problems.ts';
import { isLegacyLabelName } from './names.ts';

const needsEscape = /[\\"\n]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const unescapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };
/** What stands between the last label and the value, kept with the labels so that a line takes one join less. */
const closing = '} ';
/** The whole of ASCII, control characters included. */
const ascii = /^[\0-\x7f]*$/;

/**
 * Escapes a label value as both text formats want it (backslash, double quote, line feed). A lone surrogate, which has
 * no UTF-8 form, becomes U+FFFD here rather than in the encoder, so that no two series can meet in the output.
 */
export function escapeLabelValue(value: string): string {
  const formed = value.toWellFormed();
  return needsEscape.test(formed) ? formed.replace(/[\\"\n]/g, (char) => escapes[char] ?? char) : formed;
}

/**
 * An ordered set of labels. It keeps a single string: the labels in the form of the text formats, `a="x",b="y"`, with
 * values escaped and names that are not legacy names quoted. Escaping makes that string unambiguous, so it is at once
 * the key of a series and what an encoder writes; a million series stay affordable.
 */
export class LabelSet {
  /** Label names, in the order of `text`. The sets of one family share one array. */
  readonly names: readonly string[];
  /** `a="x",b="y"} `: the labels as an encoder writes them behind the opening brace; empty for no labels. */
  readonly closed: string;
  /** All names are legacy names and all values ASCII: `text` can be written byte for byte in every text format. */
  readonly plain: boolean;

  /** For `LabelNames`; everybody else calls `labelSet`. */
  constructor(names: readonly string[], closed: string, legacyNames: boolean) {
    this.names = names;
    this.closed = closed;
    this.plain = legacyNames && ascii.test(closed);
  }

  /** `a="x",b="y"`, without braces; empty for no labels. */
  get text(): string {
    return this.closed.slice(0, -closing.length);
  }

  /** The values, in the order of `names`, unescaped. */
  get values(): string[] {
    const values: string[] = [];
    const { closed } = this;
    let at = 0;
    for (const name of this.names) {
      const start = at + nameText(name).length + 2;
      let end = start;
      while (closed[end] !== '"') end += closed[end] === '\\' ? 2 : 1;
      const raw = closed.slice(start, end);
      values.push(raw.includes('\\') ? raw.replace(/\\[\\"n]/g, (pair) => unescapes[pair] ?? pair) : raw);
      at = end + 2;
    }
    return values;
  }

  /** The value of one label; undefined when the set has no such label. */
  get(name: string): string | undefined {
    const index = this.names.indexOf(name);
    return index < 0 ? undefined : this.values[index];
  }

  /** These labels and then the others, which must have other names. */
  with(others: LabelSet): LabelSet {
    if (others.closed === '') return this;
    if (this.closed === '') return others;
    const names = [...this.names, ...others.names];
    return new LabelSet(names, `${this.text},${others.closed}`, names.every(isLegacyLabelName));
  }

  toJSON(): Record<string, string> {
    const values = this.values;
    return Object.fromEntries(this.names.map((name, index) => [name, values[index] ?? '']));
  }
}

/** A label name as it stands in a label set: quoted (and escaped like a value) unless it is a legacy name. */
function nameText(name: string): string {
  return isLegacyLabelName(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** The label names of a family, prepared once so that building the key of a series is a few concatenations. */
export class LabelNames {
  readonly names: readonly string[];
  readonly #openings: readonly string[];
  readonly #legacy: boolean;

  /** Takes names that are known to be distinct; `labelNamesProblem` is for those that are not. */
  constructor(names: readonly string[]) {
    this.names = Object.freeze([...names]);
    this.#openings = names.map((name, index) => `${index === 0 ? '' : ','}${nameText(name)}="`);
    this.#legacy = names.every(isLegacyLabelName);
  }

  /** The closed text of a label set with these values, which is also its key. Every name needs a string, no other may come. */
  key(subject: string, values: Readonly<Record<string, string>>): string {
    let text = '';
    for (let index = 0; index < this.names.length; index++) {
      const name = this.names[index] ?? '';
      const value = values[name];
      if (typeof value !== 'string') misuse(subject, `label ${shown(name)} needs a string, got ${shown(value)}`);
      text += `${this.#openings[index]}${escapeLabelValue(value)}"`;
    }
    for (const name in values) {
      if (!this.names.includes(name)) {
        misuse(subject, `has no label ${shown(name)} (value ${shown(values[name])}); its labels: ${this.#list()}`);
      }
    }
    return text === '' ? '' : text + closing;
  }

  /** The label set with these values, in the order of the names; what is missing is empty. */
  of(values: readonly string[]): LabelSet {
    const parts = this.#openings.map((opening, index) => `${opening}${escapeLabelValue(values[index] ?? '')}"`);
    return this.set(parts.length === 0 ? '' : parts.join('') + closing);
  }

  /** The label set of a key that `key()` has made. */
  set(key: string): LabelSet {
    return new LabelSet(this.names, key, this.#legacy);
  }

  #list(): string {
    return this.names.length === 0 ? 'none' : this.names.join(', ');
  }
}

/** The empty label set. */
export const noLabels: LabelSet = new LabelNames([]).set('');

/** A label set of its own, for points that a collector builds. Names keep the order of the object's keys. */
export function labelSet(labels: Readonly<Record<string, string>>): LabelSet {
  const problem = labelNamesProblem(Object.keys(labels));
  if (problem !== undefined) misuse('label set', problem);
  const names = new LabelNames(Object.keys(labels));
  return names.set(names.key('label set', labels));
}
