import { misuse, shown } from './misuse.ts';
import { labelNamesProblem } from './label-problems.ts';
import { isLegacyLabelName } from './names.ts';

const needsEscape = /[\\"\n]/;
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const unescapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };
/** The text between the last label and the value. Stored with the labels to save a join per line. */
const closing = '} ';
const ascii = /^[\0-\x7f]*$/;

/** Whether a text is ASCII, including control characters. */
export function isAsciiText(text: string): boolean {
  return ascii.test(text);
}

/**
 * Escapes backslash, double quote and line feed in a label value, as both text formats require. Replaces a lone surrogate, which
 * UTF-8 cannot encode, by U+FFFD. Doing so here ensures that distinct series stay distinct in the output.
 */
export function escapeLabelValue(value: string): string {
  const formed = value.toWellFormed();
  return needsEscape.test(formed) ? formed.replace(/[\\"\n]/g, (char) => escapes[char] ?? char) : formed;
}

/**
 * An ordered set of labels, stored as a single string in the syntax of the text formats: `a="x",b="y"`, with escaped
 * values and with quotes around names that are not legacy names. The string is unambiguous, so it is both the key of a
 * series and the text that an encoder writes. This keeps a million series affordable.
 */
export class LabelSet {
  /** Label names, in the order of `text`. The sets of one family share one array. */
  readonly names: readonly string[];
  /** `a="x",b="y"} `: the text that an encoder writes after the opening brace; empty without labels. */
  readonly closed: string;
  /** All names are legacy names and all values are ASCII, so every text format can write `text` byte for byte. */
  readonly plain: boolean;

  /** For `LabelNames` only; other code calls `labelSet`. `isAscii`: whether `closed` is, if the caller knows. */
  constructor(names: readonly string[], closed: string, legacyNames: boolean, isAscii?: boolean) {
    this.names = names;
    this.closed = closed;
    this.plain = legacyNames && (isAscii ?? isAsciiText(closed));
  }

  /** `a="x",b="y"`, without braces; empty without labels. */
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

  /** The value of one label; `undefined` if the set does not have it. */
  get(name: string): string | undefined {
    const index = this.names.indexOf(name);
    return index < 0 ? undefined : this.values[index];
  }

  /** These labels followed by `others`, which must have different names. */
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

/** A label name in the syntax of a label set: quoted and escaped like a value, unless it is a legacy name. */
function nameText(name: string): string {
  return isLegacyLabelName(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** The label names of a family, prepared so that building the key of a series takes few concatenations. */
export class LabelNames {
  readonly names: readonly string[];
  readonly #openings: readonly string[];
  readonly #legacy: boolean;

  /** The names must be distinct: see `labelNamesProblem`. */
  constructor(names: readonly string[]) {
    this.names = Object.freeze([...names]);
    this.#openings = names.map((name, index) => `${index === 0 ? '' : ','}${nameText(name)}="`);
    this.#legacy = names.every(isLegacyLabelName);
  }

  /** The key (`closed`) of the label set with these values. Throws (`BUG:`) for a missing, unknown or non-string label. */
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

  /** The label set with these values, in the order of the names. Missing values are empty. */
  of(values: readonly string[]): LabelSet {
    const parts = this.#openings.map((opening, index) => `${opening}${escapeLabelValue(values[index] ?? '')}"`);
    return this.set(parts.length === 0 ? '' : parts.join('') + closing);
  }

  /** The label set of a key from `key()`. `isAscii`: whether the key is, if the caller knows. */
  set(key: string, isAscii?: boolean): LabelSet {
    return new LabelSet(this.names, key, this.#legacy, isAscii);
  }

  #list(): string {
    return this.names.length === 0 ? 'none' : this.names.join(', ');
  }
}

/** The empty label set. */
export const noLabels: LabelSet = new LabelNames([]).set('');

/** A label set for points that a collector builds. Names keep the order of the object's keys. Throws (`BUG:`) for invalid names. */
export function labelSet(labels: Readonly<Record<string, string>>): LabelSet {
  const problem = labelNamesProblem(Object.keys(labels));
  if (problem !== undefined) misuse('label set', problem);
  const names = new LabelNames(Object.keys(labels));
  return names.set(names.key('label set', labels));
}
