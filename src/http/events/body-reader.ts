import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { limits, messageOf, TonnageError } from '../../base/index.ts';

const inflate = promisify(gunzip);

/** Reads bodies of requests that may be large, within what one of them and all together may take. */
export interface BodyReader {
  /**
   * Hands the body, as it was before compression, to `handle` and answers what that does; until it has ended, the body
   * counts as in memory. Rejects with `request_too_large`, `unsupported_media_type` (another coding than gzip),
   * `bad_request` (broken gzip, or the client left), or `unavailable` while too much of others is in memory.
   */
  read<T>(request: IncomingMessage, handle: (body: Buffer) => T | Promise<T>): Promise<T>;
}

/** Bodies that are decompressed at a time: the threads that do it are shared with files and passwords. */
const inflationsMax = 2;

/** @param totalBytesMax bytes of all bodies in memory, at most */
export function createBodyReader(totalBytesMax: number = limits.eventBodiesBytesMax): BodyReader {
  const budget = { bytes: totalBytesMax };
  const inTurn = createTurns(inflationsMax);
  return {
    async read(request, handle) {
      const coding = codingOf(request);
      if (Number(request.headers['content-length'] ?? 0) > limits.eventBodyBytesMax) throw tooLarge();
      const reserved: Reservation = { bytes: 0 };
      try {
        const sent = await receive(request, budget, reserved);
        if (coding === 'identity') return await handle(sent);
        const body = await inTurn(() => decompress(sent));
        if (!take(budget, reserved, body.length)) throw busy();
        return await handle(body);
      } finally {
        budget.bytes += reserved.bytes;
      }
    },
  };
}

/** Lets so many pieces of work run at a time; the others wait, in the order in which they came. */
function createTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}

/** Whether the rest of a body that was not taken is worth waiting for, to keep its connection for the next request. */
export function isWorthDraining(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.complete || (length !== undefined && Number(length) <= limits.eventBodyBytesMax);
}

interface Reservation {
  bytes: number;
}

/** Takes from what all bodies share, if there is enough. A slow client holds what it has sent, no more. */
function take(budget: Reservation, reserved: Reservation, bytes: number): boolean {
  if (bytes > budget.bytes) return false;
  budget.bytes -= bytes;
  reserved.bytes += bytes;
  return true;
}

function busy(): TonnageError {
  return new TonnageError('unavailable', 'too many bodies are being read at once; send this one again');
}

function codingOf(request: IncomingMessage): 'identity' | 'gzip' {
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '') return 'identity';
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  throw new TonnageError('unsupported_media_type', 'Content-Encoding: expected gzip or none, got another one');
}

function tooLarge(): TonnageError {
  const most = limits.eventBodyBytesMax;
  return new TonnageError(
    'request_too_large',
    `body: expected at most ${most} bytes, also after decompression, got more`,
  );
}

/** Listens rather than iterates: an iterator that is left early cuts the connection, and with it the answer. */
function receive(request: IncomingMessage, budget: Reservation, reserved: Reservation): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > limits.eventBodyBytesMax) settle(() => reject(tooLarge()));
      else if (take(budget, reserved, chunk.length)) chunks.push(chunk);
      else settle(() => reject(busy()));
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks, received)));
    const onGone = (): void => settle(() => reject(new TonnageError('bad_request', 'the body ended before its end')));
    const settle = (outcome: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone);
      // What still comes is thrown away, so that the answer finds a connection that is read.
      request.resume();
      outcome();
    };
    // Stays for good: what goes wrong after the outcome has nobody else to hear it.
    request.on('error', onGone);
    request.on('data', onData).on('end', onEnd).on('close', onGone);
  });
}

/** In a thread of its own, and never to more than may be: a small body can stand for a large one. */
async function decompress(body: Buffer): Promise<Buffer> {
  try {
    return await inflate(body, { maxOutputLength: limits.eventBodyBytesMax });
  } catch (thrown) {
    if (thrown instanceof RangeError) throw tooLarge();
    throw new TonnageError('bad_request', `body: expected gzip, as Content-Encoding says: ${messageOf(thrown)}`);
  }
}
