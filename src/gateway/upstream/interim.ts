import type { Socket } from 'node:net';

import type { buildConnector } from 'undici';

import { limits } from '../../base/index.ts';

/** The status line of an interim answer, or its first part. 101 is final, because the request asked for no other protocol. */
const interimStart = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r\n]/;
const interimShape = 'HTTP/1.1 100 ';
const partOfStart = /^(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.[01]|HTTP\/1\.[01] |HTTP\/1\.[01] 1\d{0,2})$/;

/** What an answer's first bytes are: interim answers that are over (`end` is behind them), or a beginning (`isOpen`). */
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
 * Hides interim answers from the reader of a connection: some proxies send `100 Continue` unasked, and a client has to
 * skip it (RFC 9110, section 15.2), but undici takes it for a broken answer. Looks at the first bytes after each request
 * only. Requests have no body here, so that each is written before its answer is read.
 */
function hideInterim(socket: Socket): void {
  const read = socket.read.bind(socket);
  let requestsBytes = -1;
  let isBegun = false;
  let held: Buffer = Buffer.alloc(0);
  socket.read = (size?: number): unknown => {
    for (;;) {
      const chunk: unknown = read(size);
      if (!Buffer.isBuffer(chunk)) return chunk;
      if (socket.bytesWritten !== requestsBytes) {
        requestsBytes = socket.bytesWritten;
        isBegun = false;
      }
      if (isBegun) return chunk;
      const bytes = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk]);
      const { end, isOpen } = interimIn(bytes);
      held = bytes.subarray(end);
      if (isOpen) continue;
      isBegun = true;
      const answer = held;
      held = Buffer.alloc(0);
      return answer;
    }
  };
}

/** Makes connections on which answers come without interim ones before them. */
export function skippingInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...outcome) => {
      if (outcome[0] === null) hideInterim(outcome[1]);
      callback(...outcome);
    });
}

const isConnector = (value: unknown): value is buildConnector.connector => typeof value === 'function';

/** Options of a pool, whose own way to connect, if it has one, skips interim answers. */
export function skippingInterimBy(options: object): object {
  const connect = 'connect' in options ? options.connect : undefined;
  return isConnector(connect) ? { ...options, connect: skippingInterim(connect) } : options;
}
