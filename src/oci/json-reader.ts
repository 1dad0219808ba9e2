import { Buffer, isUtf8 } from 'node:buffer';

import { isJsonObject, type JsonObject } from './json.ts';

/** What a text of JSON may hold. Everything here bounds the time and the memory that reading it takes. */
export interface JsonRules {
  /** Objects and lists inside each other. */
  readonly depthMax: number;
  /** Values in all, at any depth. */
  readonly valuesMax: number;
  /** Values of one list. */
  readonly itemsMax: number;
  /**
   * Refuses an object with two members of the same name, or of names that differ only in case. Readers in Go ignore the case
   * of names and take the last member. Other readers take the member whose name has the right case.
   */
  readonly distinctMembers: boolean;
}

/** What was read, or why it was refused: a clause such as `is no JSON`, to follow the name of the text. */
export type Read<Value> = { readonly value: Value } | { readonly refused: string };

/** Work in short slices. Its runner can do other work between two of them. */
export type Sliced<Result> = Generator<void, Result, void>;

/** Bytes that one slice reads. */
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
/** The end of the text, where a byte is expected. */
const nothing = -1;

/** The text is not what the rules allow. Never leaves this file. */
class Refusal extends Error {}

const noJson = 'is no JSON';

/** An object or list that is still open. */
type Frame =
  | { readonly kind: 'object'; readonly value: Record<string, unknown>; readonly names: Set<string>; name: string }
  | { readonly kind: 'list'; readonly value: unknown[] };

/** What may come next. */
type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'comma or end' | 'nothing';

/** The form in which names are equal to a reader that ignores case. Letters that fold to ASCII ones (U+017F, U+212A) do so. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** A parser of JSON (RFC 8259) that can stop and go on: `step` reads a slice. */
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

  /** Whether there is more to read. */
  step(): boolean {
    const end = this.#at + sliceBytes;
    while (this.#at < end) if (!this.#token()) return false;
    return true;
  }

  /** Reads one token; false at the end of the text. */
  #token(): boolean {
    const byte = this.#nextByte();
    switch (this.#expected) {
      case 'nothing':
        if (byte !== nothing) throw new Refusal(noJson);
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
    return byte ?? nothing;
  }

  #name(byte: number): true {
    const frame = this.#frames.at(-1);
    if (byte !== quote || frame?.kind !== 'object') throw new Refusal(noJson);
    const name = this.#text();
    if (this.#rules.distinctMembers) {
      const same = folded(name);
      if (frame.names.has(same)) {
        throw new Refusal('has an object with two members whose names are the same or differ only in case');
      }
      frame.names.add(same);
    }
    if (this.#nextByte() !== colon) throw new Refusal(noJson);
    this.#at++;
    frame.name = name;
    this.#expected = 'value';
    return true;
  }

  #value(byte: number): true {
    if (++this.#values > this.#rules.valuesMax) throw new Refusal(`has more than ${this.#rules.valuesMax} values`);
    if (byte === openBrace || byte === openBracket) {
      this.#open(byte);
      this.#at++;
    } else {
      this.#put(byte === quote ? this.#text() : this.#word());
    }
    return true;
  }

  #open(byte: number): void {
    const { depthMax } = this.#rules;
    if (this.#frames.length >= depthMax) throw new Refusal(`is nested deeper than ${depthMax} levels`);
    const frame: Frame =
      byte === openBrace ? { kind: 'object', value: {}, names: new Set(), name: '' } : { kind: 'list', value: [] };
    this.#put(frame.value);
    this.#frames.push(frame);
    this.#expected = frame.kind === 'object' ? 'name or end' : 'value or end';
  }

  #close(byte: number): void {
    const kind = this.#frames.pop()?.kind;
    if (kind === undefined || byte !== (kind === 'object' ? closeBrace : closeBracket)) throw new Refusal(noJson);
    this.#expected = this.#frames.length === 0 ? 'nothing' : 'comma or end';
  }

  /** Puts a value where it belongs. */
  #put(value: unknown): void {
    const frame = this.#frames.at(-1);
    this.#expected = frame === undefined ? 'nothing' : 'comma or end';
    if (frame === undefined) {
      this.#root = value;
    } else if (frame.kind === 'list') {
      frame.value.push(value);
      const { itemsMax } = this.#rules;
      if (frame.value.length > itemsMax) throw new Refusal(`has a list of more than ${itemsMax} entries`);
    } else if (frame.name === '__proto__') {
      // An assignment would change the object's prototype instead.
      Object.defineProperty(frame.value, frame.name, { value, enumerable: true, configurable: true, writable: true });
    } else {
      frame.value[frame.name] = value;
    }
  }

  /** Reads a text from its opening quote on. */
  #text(): string {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let end = start;
    let isEscaped = false;
    let isAscii = true;
    for (;;) {
      const byte = bytes[end];
      if (byte === quote) break;
      if (byte === undefined || byte < space) throw new Refusal(noJson);
      if (byte === backslash) isEscaped = true;
      if (byte > 0x7f) isAscii = false;
      end += byte === backslash ? 2 : 1;
    }
    this.#at = end + 1;
    if (isEscaped) return unescaped(bytes.toString('utf8', start - 1, end + 1));
    // A copy, where a part of a decoded text would keep all of that in memory.
    return bytes.toString(isAscii ? 'latin1' : 'utf8', start, end);
  }

  /** Reads a number or one of the three words. */
  #word(): unknown {
    const bytes = this.#bytes;
    const start = this.#at;
    let end = start;
    for (;;) {
      const byte = bytes[end];
      if (byte === undefined || byte <= space || byte === comma || byte === closeBrace || byte === closeBracket) break;
      end++;
    }
    this.#at = end;
    const word = bytes.toString('latin1', start, end);
    if (literals.has(word)) return literals.get(word);
    if (!numberPattern.test(word)) throw new Refusal(noJson);
    return Number(word);
  }
}

/** A text with its quotes and escapes, as a text. */
function unescaped(quoted: string): string {
  try {
    const text: unknown = JSON.parse(quoted);
    if (typeof text === 'string') return text;
  } catch {
    // An escape that is none.
  }
  throw new Refusal(noJson);
}

/**
 * Reads UTF-8 bytes as one JSON object, in slices: what comes from outside must not keep others waiting, however it is
 * made. Where an object has several members of one name and the rules allow it, the last one counts.
 */
export function* readJsonObject(bytes: Uint8Array, rules: JsonRules): Sliced<Read<JsonObject>> {
  if (!isUtf8(bytes)) return { refused: 'is not UTF-8' };
  const reader = new JsonReader(bytes, rules);
  try {
    while (reader.step()) yield;
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    throw error;
  }
  return isJsonObject(reader.root) ? { value: reader.root } : { refused: 'is no JSON object' };
}

/** Runs all slices at once, for what is known to be small. */
export function atOnce<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
