import type { ServerResponse } from 'node:http';

import type { Counter } from '../metric/index.ts';
import type { BodyCount } from './body-count.ts';

/**
 * The body of an answer as a place to put bytes, one chunk after the other: the next is taken when the last has left for
 * the client. So a reader holds one buffer, however slow its client is, and learns at once when the client is gone.
 */
export class BodyWriter {
  readonly #response: ServerResponse;
  #closed: boolean;
  #wake: (() => void) | undefined;
  #gone: AbortController | undefined;
  #sent: Counter | undefined;
  #body: BodyCount | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#closed = response.destroyed;
    response.once('close', () => {
      this.#closed = true;
      this.#wake?.();
      this.#gone?.abort();
    });
  }

  /** Whether the client is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Aborts when the client goes: for work that is for this client alone. */
  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#closed) this.#gone.abort();
    return this.#gone.signal;
  }

  /** Counts the bytes that leave from now on. */
  countInto(sent: Counter, body: BodyCount): void {
    this.#sent = sent;
    this.#body = body;
  }

  /** Resolves once the client is gone, or `work` is over. */
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

  /** Sends a chunk, and resolves once it may be overwritten. Sends nothing when the client is gone. */
  async send(chunk: Uint8Array): Promise<void> {
    this.#body?.sending(chunk.byteLength);
    const written = new Promise<void>((resolve) => {
      this.#response.write(chunk, (error) => {
        if (error === null || error === undefined) {
          this.#sent?.inc(chunk.byteLength);
          this.#body?.taken();
        }
        resolve();
      });
    });
    await this.until(written);
  }

  /** Ends the answer. */
  end(): void {
    this.#response.end();
  }
}
