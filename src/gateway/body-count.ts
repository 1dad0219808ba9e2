import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { onDestroy } from './unsent.ts';

/** The line break after a chunk (RFC 9112, section 7.1), which is not part of the body. */
const chunkEndBytes = 2;

/**
 * Counts the bytes of a response body that the kernel has accepted, and reports them when the response has ended or was
 * aborted. At most one piece is in flight, and it is the last thing written. The unsent bytes of a broken connection
 * are therefore the end of that piece.
 */
export class BodyCount {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #onEnd: (bytes: number) => void;
  #sent = 0;
  #inFlight = 0;
  #ended: boolean;
  #unwatch: () => void = () => undefined;

  constructor(response: ServerResponse, socket: Socket, onEnd: (bytes: number) => void) {
    this.#response = response;
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#ended = socket.destroyed;
    if (this.#ended) return;
    this.#unwatch = onDestroy(socket, (unsent) => this.#abort(unsent));
    // Must run before Node's own listener, which detaches the response from its connection.
    response.prependOnceListener('finish', () => this.#finish());
  }

  /** A piece of `bytes` is about to be written. */
  sending(bytes: number): void {
    if (!this.#ended) this.#inFlight = bytes;
  }

  /** The piece has been written completely. */
  sent(): void {
    this.#sent += this.#inFlight;
    this.#inFlight = 0;
  }

  /** The last write has ended. If it failed, the connection is about to be destroyed, and `#abort` counts. */
  #finish(): void {
    if (this.#ended || this.#socket.errored !== null) return;
    this.sent();
    this.#end();
  }

  #abort(unsent: number): void {
    // A pipelined response that still waits has sent nothing: the unsent bytes belong to another response.
    if (this.#response.socket !== null) {
      const missing = Math.max(0, unsent - (this.#response.chunkedEncoding ? chunkEndBytes : 0));
      this.#inFlight = Math.max(0, this.#inFlight - missing);
      this.sent();
    }
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#inFlight = 0;
    this.#unwatch();
    this.#onEnd(this.#sent);
  }
}
