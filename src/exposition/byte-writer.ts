import { Buffer } from 'node:buffer';
import { limits } from '../base/index.ts';

/** Digits of the largest 32-bit integer, and of any other number or short word: what one value may take up. */
const valueBytesMax = 32;
const zero = 0x30;
const minus = 0x2d;
const closingBrace = 0x7d;
const space = 0x20;

/**
 * Collects the bytes of an exposition. `take` hands over what is there and begins anew: whoever writes calls it once
 * `full`, between two points, so that chunks stay near `limits.expositionChunkBytesMax`.
 */
export class ByteWriter {
  readonly #reuse: boolean;
  #bytes = Buffer.allocUnsafeSlow(limits.expositionChunkBytesMax);
  #length = 0;

  /** `reuse`: what `take` hands over is good only until the next byte is written. */
  constructor(reuse = false) {
    this.#reuse = reuse;
  }

  get length(): number {
    return this.#length;
  }

  /** A chunk's worth of bytes is there. The margin lets the point that comes after it fit without growing. */
  get full(): boolean {
    return this.#length > limits.expositionChunkBytesMax - 4096;
  }

  /** The bytes written since the last call, which are the caller's from now on (but see `reuse`). */
  take(): Uint8Array {
    const chunk = this.#bytes.subarray(0, this.#length);
    if (!this.#reuse) this.#bytes = Buffer.allocUnsafeSlow(limits.expositionChunkBytesMax);
    this.#length = 0;
    return chunk;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** `opening`, ASCII text, and the closing brace and space before a value: what most lines of an exposition are. */
  plainSeries(opening: Uint8Array, text: string): void {
    this.#reserve(opening.length + text.length + 2);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes.set(opening, at);
    at += opening.length;
    at += bytes.write(text, at, 'latin1');
    bytes[at] = closingBrace;
    bytes[at + 1] = space;
    this.#length = at + 2;
  }

  /** Text of which the caller knows that it is ASCII. */
  ascii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** A number as the text formats write it: integers as digits, `+Inf`, `-Inf`, `NaN`, else the shortest decimal. */
  value(value: number | bigint): void {
    this.#reserve(valueBytesMax);
    if (typeof value === 'number' && (value | 0) === value) this.#integer(value);
    else if (value === Infinity) this.ascii('+Inf');
    else if (value === -Infinity) this.ascii('-Inf');
    else this.ascii(String(value));
  }

  /** Decimal digits, last one first: no string in between. */
  #integer(value: number): void {
    let rest = value;
    if (rest < 0) {
      if (rest === -0x80000000) return this.ascii('-2147483648');
      this.#bytes[this.#length++] = minus;
      rest = -rest;
    }
    const end = this.#length + digitCount(rest);
    let at = end;
    do {
      const next = (rest / 10) | 0;
      this.#bytes[--at] = zero + rest - next * 10;
      rest = next;
    } while (rest > 0);
    this.#length = end;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function digitCount(value: number): number {
  if (value < 100_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : value < 10_000 ? 4 : 5;
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  return value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10;
}
