import type { Socket } from 'node:net';

import type { buildConnector } from 'undici';

import { limits } from '../../base/index.ts';

/** The start of an interim response's status line. 101 counts as final, since no request asks for another protocol. */
const interimStart = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r\n]/;
const interimShape = 'HTTP/1.1 100 ';
const partOfStart = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.[01]|HTTP\/1\.[01] |HTTP\/1\.[01] 1\d{0,2})$/;

/** Finds the complete interim responses at the start of `bytes`, up to `end`. `isOpen`: the rest may be another one. */
function interimIn(bytes: Buffer): { readonly end: number; readonly isOpen: boolean } {
  for (let end = 0; ;) {
    const start = bytes.toString('latin1', end, end + interimShape.length);
    if (start === '' || partOfStart.test(start)) return { end, isOpen: true };
    if (!interimStart.test(start)) return { end, isOpen: false };
    const head = bytes.indexOf('\r\n\r\n', end, 'latin1');
    if (head === -1) return { end, isOpen: bytes.byteLength - end <= limits.upstreamInterimBytesMax };
    end = head + '\r\n\r\n'.length;
  }
}

/**
 * Removes interim responses from a connection. Some proxies send an unrequested `100 Continue`. Clients must skip it
 * (RFC 9110, section 15.2), but undici treats it as malformed. Only the first bytes after each request are checked.
 * Requests have no body here, so each is written completely before its response arrives.
 */
function hideInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  let requestsBytes = -1;
  let hasFinal = false;
  let held: Buffer = Buffer.alloc(0);
  socket.read = (size?: number): unknown => {
    for (;;) {
      const chunk: unknown = read(size);
      if (!Buffer.isBuffer(chunk)) return chunk;
      if (socket.bytesWritten !== requestsBytes) {
        requestsBytes = socket.bytesWritten;
        hasFinal = false;
      }
      if (hasFinal) return chunk;
      const bytes = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk]);
      const { end, isOpen } = interimIn(bytes);
      held = bytes.subarray(end);
      if (isOpen) continue;
      hasFinal = true;
      const answer = held;
      held = Buffer.alloc(0);
      return answer;
    }
  };
}

/** Wraps a connector so that its connections have no interim responses. */
export function skippingInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...outcome) => {
      if (outcome[0] === null) hideInterim(outcome[1]);
      callback(...outcome);
    });
}

const isConnector = (value: unknown): value is buildConnector.connector => typeof value === 'function';

/** Wraps the connector in a pool's options, if they have one, in the same way. */
export function skippingInterimBy(options: object): object {
  const connect = 'connect' in options ? options.connect : undefined;
  return isConnector(connect) ? { ...options, connect: skippingInterim(connect) } : options;
}
