import type { ServerResponse } from 'node:http';

import type { Counter } from '../metric/index.ts';
import type { BodyCount } from './body-count.ts';

/**
 * Writes a response body chunk by chunk, at the client's speed. Each `send` waits until its chunk has left, so a
 * response needs one buffer, however slow the client is. It notices at once if the client disconnects.
 */
export class BodyWriter {
  readonly #response: ServerResponse;
  #closed: boolean;
  #wake: (() => void) | undefined;
  #disconnected: AbortController | undefined;
  #sent: Counter | undefined;
  #body: BodyCount | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#closed = response.destroyed;
    response.once('close', () => {
      this.#closed = true;
      this.#wake?.();
      this.#disconnected?.abort();
    });
  }

  /** Whether the client has disconnected. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Aborts when the client disconnects: for work that only this client needs. */
  get signal(): AbortSignal {
    this.#disconnected ??= new AbortController();
    if (this.#closed) this.#disconnected.abort();
    return this.#disconnected.signal;
  }

  /** Counts all bytes from now on. */
  countInto(sent: Counter, body: BodyCount): void {
    this.#sent = sent;
    this.#body = body;
  }

  /** Resolves when `work` has settled or the client has disconnected. */
  async until(work: Promise<unknown>): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      work.then(
        () => resolve(),
        () => resolve(),
      );
    });
    this.#wake = undefined;
  }

  /** Sends a chunk. Resolves when the buffer may be reused, or the client has disconnected. */
  async send(chunk: Uint8Array): Promise<void> {
    this.#body?.sending(chunk.byteLength);
    const written = new Promise<void>((resolve) => {
      this.#response.write(chunk, (error) => {
        if (error === null || error === undefined) {
          this.#sent?.inc(chunk.byteLength);
          this.#body?.sent();
        }
        resolve();
      });
    });
    await this.until(written);
  }
}
