import type { FileHandle } from 'node:fs/promises';

import { messageOf } from '../../base/index.ts';

/**
 * Appends chunks to a file, in order, while the next ones arrive. At most `bufferBytesMax` wait in memory. After a
 * failed write, nothing more is written.
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

  /** `onWritten` is called after each write with the size of the file in bytes. */
  constructor(
    handle: Pick<FileHandle, 'write' | 'writev'>,
    bufferBytesMax: number,
    onWritten: (written: number) => void,
  ) {
    this.#handle = handle;
    this.#bufferBytesMax = bufferBytesMax;
    this.#onWritten = onWritten;
  }

  /** Adds a chunk. Resolves when there is room for the next. Rejects with the disk's error once a write has failed. */
  async push(chunk: Buffer): Promise<void> {
    // After a failed write, the chunk would be written at the wrong offset.
    this.#check();
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    this.#running ??= this.#drain();
    if (this.#waitingBytes > this.#bufferBytesMax) await this.#running;
    this.#check();
  }

  /** Resolves when all chunks are written; rejects if a write failed. */
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

  /** A disk that becomes full may write a part without an error. Writing the rest then yields the error. */
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
