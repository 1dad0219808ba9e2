import type { FileHandle } from 'node:fs/promises';

import { messageOf } from '../../base/index.ts';

/**
 * Appends chunks to a file in the order in which they come, while the next ones are still on their way. At most
 * `bufferBytesMax` wait in memory. Once a write has failed nothing more is written.
 */
export class TempWriter {
  readonly #handle: Pick<FileHandle, 'write' | 'writev'>;
  readonly #bufferBytesMax: number;
  readonly #onWritten: (written: number) => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written = 0;
  #failure: Error | undefined;
  #running: Promise<void> | undefined;

  /** `onWritten` is told, after each write, how many bytes the file has now. */
  constructor(
    handle: Pick<FileHandle, 'write' | 'writev'>,
    bufferBytesMax: number,
    onWritten: (written: number) => void,
  ) {
    this.#handle = handle;
    this.#bufferBytesMax = bufferBytesMax;
    this.#onWritten = onWritten;
  }

  /** Takes a chunk. Resolves when there is room for the next; rejects with what the disk said once a write has failed. */
  async push(chunk: Buffer): Promise<void> {
    // What comes after the gap that a failed write has left would stand at its place.
    this.#check();
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    this.#running ??= this.#drain();
    if (this.#waitingBytes > this.#bufferBytesMax) await this.#running;
    this.#check();
  }

  /** Resolves when everything that was taken is written; rejects when that failed. */
  async finish(): Promise<void> {
    await this.#running;
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const chunks = this.#waiting;
        const bytes = this.#waitingBytes;
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#writeAll(chunks, bytes);
        this.#written += bytes;
        this.#onWritten(this.#written);
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(messageOf(error));
      this.#waiting = [];
      this.#waitingBytes = 0;
    } finally {
      this.#running = undefined;
    }
  }

  /** A disk that runs full may take a part of a write without an error: the rest is tried again, which then says why. */
  async #writeAll(chunks: readonly Buffer[], bytes: number): Promise<void> {
    const { bytesWritten } = await this.#handle.writev([...chunks], this.#written);
    if (bytesWritten === bytes) return;
    const rest = Buffer.concat(chunks).subarray(bytesWritten);
    for (let offset = 0; offset < rest.byteLength;) {
      const written = await this.#handle.write(
        rest,
        offset,
        rest.byteLength - offset,
        this.#written + bytesWritten + offset,
      );
      offset += written.bytesWritten;
    }
  }
}
