import { limits } from '../../../base/index.ts';

/** The form of names, as a regular expression of JavaScript and of PostgreSQL. */
export const nameForm = '^[a-z0-9]+(-[a-z0-9]+)*$';
const name = new RegExp(nameForm);

/** The value that replaces text which does not look like what its label means. */
const otherText = 'other';

/**
 * Folds free text into a bounded set of label values, because everybody who may create a work request can put any text
 * there. Keeps the empty text and names such as `kfreebsd-amd64`, at most `limits.debusineTextsMax` of them: those with the
 * most rows, and of equals the first by code unit. Everything else is `other`.
 */
export class FreeText {
  readonly #rows = new Map<string, number>();
  #kept: ReadonlySet<string> | undefined;

  /** Adds `rows` rows with this text. Call it for all rows before `fold`. */
  count(text: string, rows: number): void {
    this.#rows.set(text, (this.#rows.get(text) ?? 0) + rows);
  }

  fold(text: string): string {
    this.#kept ??= this.#mostFrequent();
    return text === '' || this.#kept.has(text) ? text : otherText;
  }

  /** All values that `fold` gives for the counted texts, except the empty one. */
  values(): readonly string[] {
    return [...new Set([...this.#rows.keys()].filter((text) => text !== '').map((text) => this.fold(text)))];
  }

  #mostFrequent(): ReadonlySet<string> {
    const names = [...this.#rows].filter(([text]) => isName(text));
    names.sort(([one, rows], [other, otherRows]) => otherRows - rows || (one < other ? -1 : 1));
    return new Set(names.slice(0, limits.debusineTextsMax).map(([text]) => text));
  }
}

function isName(text: string): boolean {
  return text.length <= limits.debusineTextCharactersMax && name.test(text);
}
