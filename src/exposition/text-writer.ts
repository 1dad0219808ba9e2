import { Buffer } from 'node:buffer';
import { limits } from '../base/index.ts';

/** The chunk that the next point may still go into without growing much beyond its limit. */
const chunkCharactersMax = limits.expositionChunkBytesMax - 4096;

/** UTF-8 takes at most three bytes for one UTF-16 code unit. */
const bytesPerCharacterMax = 3;

/**
 * Collects the text of an exposition. `take` hands over its bytes and begins anew: whoever writes calls it once `full`,
 * between two points, so that chunks stay near `limits.expositionChunkBytesMax`.
 *
 * It joins strings and encodes a whole chunk at once: a call into the encoder for each series costs more than the
 * copying, and the engine joins strings by reference.
 */
export class TextWriter {
  readonly #reused: Buffer | undefined;
  #text = '';

  /** `reuse`: what `take` hands over is good only until the next `take`. */
  constructor(reuse = false) {
    if (reuse) this.#reused = Buffer.allocUnsafeSlow(limits.expositionChunkBytesMax * bytesPerCharacterMax);
  }

  get empty(): boolean {
    return this.#text === '';
  }

  /** A chunk's worth is there. */
  get full(): boolean {
    return this.#text.length >= chunkCharactersMax;
  }

  /** The bytes of what was written since the last call, which are the caller's from now on (but see `reuse`). */
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

  /** A number as the text formats write it: integers as digits, `+Inf`, `-Inf`, `NaN`, else the shortest decimal. */
  value(value: number | bigint): void {
    if (value === Infinity) this.#text += '+Inf';
    else if (value === -Infinity) this.#text += '-Inf';
    else this.#text += value;
  }
}
