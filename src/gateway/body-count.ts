import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { onDestroy } from './unsent.ts';

/** What follows a piece of a body that is sent in chunks (RFC 9112, section 7.1): it is no part of the body. */
const chunkEndBytes = 2;

/**
 * Counts the bytes of one answer's body that its connection has taken, piece by piece, and tells how many those were
 * when the answer has ended, in whatever way. At most one piece is on its way at a time, and it is the last thing that
 * was written: so what a broken connection has not sent is the end of that piece.
 */
export class BodyCount {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #onEnd: (bytes: number) => void;
  #sent = 0;
  #onItsWay = 0;
  #ended: boolean;
  #unwatch: () => void = () => undefined;

  constructor(response: ServerResponse, socket: Socket, onEnd: (bytes: number) => void) {
    this.#response = response;
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#ended = socket.destroyed;
    if (this.#ended) return;
    this.#unwatch = onDestroy(socket, (unsent) => this.#breakOff(unsent));
    // Before the listener that takes the answer off its connection, and may end that.
    response.prependOnceListener('finish', () => this.#finish());
  }

  /** A piece is about to be written. */
  sending(bytes: number): void {
    if (!this.#ended) this.#onItsWay = bytes;
  }

  /** That piece has been taken as a whole. */
  taken(): void {
    this.#sent += this.#onItsWay;
    this.#onItsWay = 0;
  }

  /** The last write has ended; where it has failed, the connection is about to be torn down. */
  #finish(): void {
    if (this.#ended || this.#socket.errored !== null) return;
    this.taken();
    this.#end();
  }

  #breakOff(unsent: number): void {
    // An answer that waits for its turn on the connection has sent nothing: what is unsent is another one's.
    if (this.#response.socket !== null) {
      const missing = Math.max(0, unsent - (this.#response.chunkedEncoding ? chunkEndBytes : 0));
      this.#onItsWay = Math.max(0, this.#onItsWay - missing);
      this.taken();
    }
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#onItsWay = 0;
    this.#unwatch();
    this.#onEnd(this.#sent);
  }
}
