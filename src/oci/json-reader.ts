import { Buffer, isUtf8 } from 'node:buffer';

import { isJsonObject, type JsonObject } from './json.ts';

/** Limits of a JSON document. They bound the time and the memory that parsing takes. */
export interface JsonRules {
  /** Nesting depth of objects and lists. */
  readonly depthMax: number;
  /** Number of values in the document, at any depth. */
  readonly valuesMax: number;
  /** Number of values in one list. */
  readonly itemsMax: number;
  /**
   * Rejects an object with two members whose names are equal or differ only in case. Parsers disagree about such an
   * object: Go's ignores case and takes the last member, others take the member whose name has the right case.
   */
  readonly distinctMembers: boolean;
}

/** The parsed value, or the problem: a clause such as `is not JSON`, for a message that names the document. */
export type Parsed<Value> = { readonly value: Value } | { readonly problem: string };

/** Work in short slices. The runner may do other work between two slices. */
export type Sliced<Result> = Generator<void, Result, void>;

/** Bytes per slice. */
const sliceBytes = 32 * 1024;

const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const literals: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

const code = (character: string): number => character.charCodeAt(0);
const quote = code('"');
const backslash = code('\\');
const comma = code(',');
const colon = code(':');
const openBrace = code('{');
const closeBrace = code('}');
const openBracket = code('[');
const closeBracket = code(']');
const space = code(' ');
const endOfInput = -1;

/** The document is invalid or breaks a rule. Never leaves this file. */
class InvalidDocument extends Error {}

const notJson = 'is not JSON';

/** An object or list that is not closed yet. */
type Frame =
  | { readonly kind: 'object'; readonly value: Record<string, unknown>; readonly names: Set<string>; name: string }
  | { readonly kind: 'list'; readonly value: unknown[] };

/** The token that may come next. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'comma or end' | 'nothing';

/** Names are equal after case folding. Upper-casing first also folds U+017F and U+212A, which fold to ASCII letters. */
function caseFolded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** A JSON parser (RFC 8259) that can pause: each `step` parses one slice. */
class JsonReader {
  readonly #bytes: Buffer;
  readonly #rules: JsonRules;
  readonly #frames: Frame[] = [];
  #expected: Expected = 'value';
  #at = 0;
  #values = 0;
  #root: unknown;

  constructor(bytes: Uint8Array, rules: JsonRules) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
  }

  get root(): unknown {
    return this.#root;
  }

  /** Parses one slice. Returns false at the end of the document. */
  step(): boolean {
    const end = this.#at + sliceBytes;
    while (this.#at < end) if (!this.#token()) return false;
    return true;
  }

  /** Parses one token. Returns false at the end of the document. */
  #token(): boolean {
    const byte = this.#nextByte();
    switch (this.#expected) {
      case 'nothing':
        if (byte !== endOfInput) throw new InvalidDocument(notJson);
        return false;
      case 'comma or end':
        if (byte === comma) this.#expected = this.#frames.at(-1)?.kind === 'list' ? 'value' : 'name';
        else this.#close(byte);
        this.#at++;
        return true;
      case 'name or end':
      case 'name':
        if (this.#expected === 'name or end' && byte === closeBrace) this.#close(byte);
        else return this.#name(byte);
        this.#at++;
        return true;
      case 'value or end':
        if (byte !== closeBracket) return this.#value(byte);
        this.#close(byte);
        this.#at++;
        return true;
      case 'value':
        return this.#value(byte);
    }
  }

  #nextByte(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at];
    while (byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
    this.#at = at;
    return byte ?? endOfInput;
  }

  #name(byte: number): true {
    const frame = this.#frames.at(-1);
    if (byte !== quote || frame?.kind !== 'object') throw new InvalidDocument(notJson);
    const name = this.#string();
    if (this.#rules.distinctMembers) {
      const key = caseFolded(name);
      if (frame.names.has(key)) {
        throw new InvalidDocument('has an object with two members whose names are the same or differ only in case');
      }
      frame.names.add(key);
    }
    if (this.#nextByte() !== colon) throw new InvalidDocument(notJson);
    this.#at++;
    frame.name = name;
    this.#expected = 'value';
    return true;
  }

  #value(byte: number): true {
    const { valuesMax } = this.#rules;
    if (++this.#values > valuesMax) throw new InvalidDocument(`has more than ${valuesMax} values`);
    if (byte === openBrace || byte === openBracket) {
      this.#open(byte);
      this.#at++;
    } else {
      this.#put(byte === quote ? this.#string() : this.#literal());
    }
    return true;
  }

  #open(byte: number): void {
    const { depthMax } = this.#rules;
    if (this.#frames.length >= depthMax) throw new InvalidDocument(`is nested deeper than ${depthMax} levels`);
    const frame: Frame =
      byte === openBrace ? { kind: 'object', value: {}, names: new Set(), name: '' } : { kind: 'list', value: [] };
    this.#put(frame.value);
    this.#frames.push(frame);
    this.#expected = frame.kind === 'object' ? 'name or end' : 'value or end';
  }

  #close(byte: number): void {
    const kind = this.#frames.pop()?.kind;
    if (kind === undefined || byte !== (kind === 'object' ? closeBrace : closeBracket)) {
      throw new InvalidDocument(notJson);
    }
    this.#expected = this.#frames.length === 0 ? 'nothing' : 'comma or end';
  }

  /** Adds a value to the open object or list. */
  #put(value: unknown): void {
    const frame = this.#frames.at(-1);
    this.#expected = frame === undefined ? 'nothing' : 'comma or end';
    if (frame === undefined) {
      this.#root = value;
    } else if (frame.kind === 'list') {
      frame.value.push(value);
      const { itemsMax } = this.#rules;
      if (frame.value.length > itemsMax) throw new InvalidDocument(`has a list of more than ${itemsMax} entries`);
    } else if (frame.name === '__proto__') {
      // An assignment would change the object's prototype.
      Object.defineProperty(frame.value, frame.name, { value, enumerable: true, configurable: true, writable: true });
    } else {
      frame.value[frame.name] = value;
    }
  }

  /** Parses a string, starting at its opening quote. */
  #string(): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let end = start;
    let isEscaped = false;
    let isAscii = true;
    for (;;) {
      const byte = bytes[end];
      if (byte === quote) break;
      if (byte === undefined || byte < space) throw new InvalidDocument(notJson);
      if (byte === backslash) isEscaped = true;
      if (byte > 0x7f) isAscii = false;
      end += byte === backslash ? 2 : 1;
    }
    this.#at = end + 1;
    if (isEscaped) return unescaped(bytes.toString('utf8', start - 1, end + 1));
    // Decode only this part: a substring of a decoded document would keep the whole document in memory.
    return bytes.toString(isAscii ? 'latin1' : 'utf8', start, end);
  }

  /** Parses a number, `true`, `false` or `null`. */
  #literal(): unknown {
    const bytes = this.#bytes;
    const start = this.#at;
    let end = start;
    for (;;) {
      const byte = bytes[end];
      if (byte === undefined || byte <= space || byte === comma || byte === closeBrace || byte === closeBracket) break;
      end++;
    }
    this.#at = end;
    const literal = bytes.toString('latin1', start, end);
    if (literals.has(literal)) return literals.get(literal);
    if (!numberPattern.test(literal)) throw new InvalidDocument(notJson);
    return Number(literal);
  }
}

/** Decodes a quoted JSON string that contains escapes. */
function unescaped(quoted: string): string {
  try {
    const value: unknown = JSON.parse(quoted);
    if (typeof value === 'string') return value;
  } catch {
    // An invalid escape.
  }
  throw new InvalidDocument(notJson);
}

/**
 * Parses UTF-8 bytes as one JSON object, in slices, so that a large document from outside does not block the event
 * loop. If the rules allow several members with one name, the last one wins.
 */
export function* readJsonObject(bytes: Uint8Array, rules: JsonRules): Sliced<Parsed<JsonObject>> {
  if (!isUtf8(bytes)) return { problem: 'is not UTF-8' };
  const reader = new JsonReader(bytes, rules);
  try {
    while (reader.step()) yield;
  } catch (error) {
    if (error instanceof InvalidDocument) return { problem: error.message };
    throw error;
  }
  return isJsonObject(reader.root) ? { value: reader.root } : { problem: 'is not a JSON object' };
}
