import { Buffer } from 'node:buffer';
import { limits } from '../base/index.ts';

/** A chunk is full at this length, so that the last point hardly exceeds `limits.expositionChunkBytesMax`. */
const chunkCharactersMax = limits.expositionChunkBytesMax - 4096;

/** UTF-8 takes at most three bytes for one UTF-16 code unit. */
const bytesPerCharacterMax = 3;

/**
 * Collects the text of an exposition. An encoder checks `full` after each point and then calls `take`, so that chunks
 * have about `limits.expositionChunkBytesMax` bytes.
 *
 * Concatenates strings and encodes a whole chunk at once. V8 concatenates strings by reference, and calling the encoder
 * for each series would cost more.
 */
export class TextWriter {
  readonly #reused: Buffer | undefined;
  #text = '';

  /** `reuse`: the bytes of `take` are valid only until the next `take`. */
  constructor(reuse = false) {
    if (reuse) this.#reused = Buffer.allocUnsafeSlow(limits.expositionChunkBytesMax * bytesPerCharacterMax);
  }

  get empty(): boolean {
    return this.#text === '';
  }

  /** Whether there is enough text for a chunk. */
  get full(): boolean {
    return this.#text.length >= chunkCharactersMax;
  }

  /** Returns the bytes written since the last call. The caller owns them, except with `reuse`. */
  take(): Uint8Array {
    const text = this.#text;
    this.#text = '';
    if (this.#reused === undefined || text.length * bytesPerCharacterMax > this.#reused.length)
      return Buffer.from(text);
    return this.#reused.subarray(0, this.#reused.write(text, 0, 'utf8'));
  }

  text(text: string): void {
    this.#text += text;
  }

  /** Writes a number in the syntax of the text formats: digits, `+Inf`, `-Inf`, `NaN`, or the shortest decimal. */
  value(value: number | bigint): void {
    if (value === Infinity) this.#text += '+Inf';
    else if (value === -Infinity) this.#text += '-Inf';
    else this.#text += value;
  }
}
