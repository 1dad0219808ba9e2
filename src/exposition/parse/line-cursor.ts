import { ParseError } from './parse-error.ts';

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const blanks = /[ \t]*/y;
const token = /[^ \t]*/y;
const quotedText = /"((?:[^"\\]|\\[^])*)"/y;
const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** Reads one line from left to right. `strictSpaces`: require one space between two parts, as OpenMetrics does. */
export class LineCursor {
  readonly text: string;
  readonly line: number;
  readonly #strictSpaces: boolean;
  #at = 0;

  constructor(text: string, line: number, strictSpaces: boolean) {
    this.text = text;
    this.line = line;
    this.#strictSpaces = strictSpaces;
  }

  /** The column of the next character, counted from 1. */
  get column(): number {
    return this.#at + 1;
  }

  get ended(): boolean {
    return this.#at >= this.text.length;
  }

  /** Throws a `ParseError` at a column. Default: that of the next character. */
  fail(reason: string, column = this.column): never {
    throw new ParseError(this.line, column, reason);
  }

  /** Consumes `expected` if it comes next. */
  skip(expected: string): boolean {
    if (!this.text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  expect(expected: string): void {
    if (!this.skip(expected)) this.fail(`expected ${JSON.stringify(expected)}, got ${this.#next()}`);
  }

  /** Consumes the space between two parts. */
  space(): void {
    if (this.#strictSpaces) {
      this.expect(' ');
      if (this.text[this.#at] === ' ') this.fail('expected one space, got more');
    } else if (this.#match(blanks) === '') {
      this.fail(`expected a space, got ${this.#next()}`);
    }
  }

  /** Consumes optional spaces, unless `strictSpaces`. */
  blanks(): void {
    if (!this.#strictSpaces) this.#match(blanks);
  }

  metricName(): string {
    return this.#match(metricName) || this.fail(`expected a metric name, got ${this.#next()}`);
  }

  labelName(): string {
    return this.#match(labelName) || this.fail(`expected a label name, got ${this.#next()}`);
  }

  /** Consumes a quoted text and returns it unescaped. Keeps a backslash that is not part of an escape. */
  quoted(): string {
    const column = this.column;
    quotedText.lastIndex = this.#at;
    const match = quotedText.exec(this.text);
    if (match === null) {
      return this.fail(
        this.text[this.#at] === '"' ? 'expected a closing quote' : `expected a quoted text, got ${this.#next()}`,
        column,
      );
    }
    this.#at = quotedText.lastIndex;
    return unescaped(match[1] ?? '');
  }

  /** Consumes text up to the next space, at least one character. `what` names it in the error message. */
  token(what: string): string {
    return this.#match(token) || this.fail(`expected ${what}, got ${this.#next()}`);
  }

  /** Whether this character comes next. */
  at(char: string): boolean {
    return this.text[this.#at] === char;
  }

  /** Consumes the rest of the line. */
  rest(): string {
    const rest = this.text.slice(this.#at);
    this.#at = this.text.length;
    return rest;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #next(): string {
    return this.ended ? 'the end of the line' : JSON.stringify(this.text[this.#at]);
  }
}

/** Unescapes label values and HELP texts. Keeps unknown escapes. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\[\\"n]/g, (pair) => escapes[pair] ?? pair) : text;
}
