import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { limits, messageOf, TonnageError, type Clock } from '../../base/index.ts';
import { BodyBudget } from './body-budget.ts';
import { BodyPace } from './body-pace.ts';

const inflate = promisify(gunzip);

/** Reads bodies of requests that may be large, within what one of them, one sender, and all together may take. */
export interface BodyReader {
  /**
   * Hands the body, as it was before compression, to `handle` and answers what that does; until it has ended, the body
   * counts as in memory. `sender` is whose share of the memory it takes. Rejects with `request_too_large`,
   * `unsupported_media_type` (another coding than gzip), `bad_request` (broken gzip, or the client left),
   * `request_too_slow`, or `unavailable` while too much is in memory.
   */
  read<T>(request: IncomingMessage, sender: string, handle: (body: Buffer) => T | Promise<T>): Promise<T>;
}

/** Bodies that are decompressed at a time: the threads that do it are shared with files and passwords. */
const inflationsMax = 2;

/** @param totalBytesMax bytes of all bodies in memory, at most */
export function createBodyReader(
  clock: Pick<Clock, 'monotonic'>,
  totalBytesMax: number = limits.eventBodiesBytesMax,
): BodyReader {
  const budget = new BodyBudget(totalBytesMax);
  const pace = new BodyPace({ clock, isShort: () => budget.isShort });
  const inTurn = createTurns(inflationsMax);
  return {
    async read(request, sender, handle) {
      const coding = codingOf(request);
      if (Number(request.headers['content-length'] ?? 0) > limits.eventBodyBytesMax) throw tooLarge();
      const share = new Share(budget, sender);
      try {
        const sent = await receive(request, share, pace);
        if (coding === 'identity') return await handle(sent);
        const body = await inTurn(() => decompress(sent));
        if (!share.take(body.length)) throw busy();
        return await handle(body);
      } finally {
        share.giveBack();
      }
    },
  };
}

/** What one body takes of its sender's share. A slow client takes what it has sent, no more. */
class Share {
  readonly #budget: BodyBudget;
  readonly #sender: string;
  #bytes = 0;

  constructor(budget: BodyBudget, sender: string) {
    this.#budget = budget;
    this.#sender = sender;
  }

  take(bytes: number): boolean {
    if (!this.#budget.take(this.#sender, bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(): void {
    this.#budget.giveBack(this.#sender, this.#bytes);
    this.#bytes = 0;
  }
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

/** Requests whose bodies came too slowly: waiting for the rest would only keep their connections. */
const givenUp = new WeakSet<IncomingMessage>();

/** Whether the rest of a body that was not taken is worth waiting for, to keep its connection for the next request. */
export function isWorthDraining(request: IncomingMessage): boolean {
  if (givenUp.has(request)) return false;
  const length = request.headers['content-length'];
  return request.complete || (length !== undefined && Number(length) <= limits.eventBodyBytesMax);
}

function busy(): TonnageError {
  return new TonnageError(
    'unavailable',
    'too many bodies are in memory, of this sender or of all together; send this one again',
  );
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
function receive(request: IncomingMessage, share: Share, pace: BodyPace): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gathered = new Gathered();
    const onData = (chunk: Buffer): void => {
      if (gathered.length + chunk.length > limits.eventBodyBytesMax) settle(() => reject(tooLarge()));
      else if (share.take(chunk.length)) gathered.add(chunk);
      else settle(() => reject(busy()));
    };
    const onEnd = (): void => settle(() => resolve(gathered.bytes));
    const onGone = (): void => settle(() => reject(new TonnageError('bad_request', 'the body ended before its end')));
    const fail = (error: TonnageError): void => {
      givenUp.add(request);
      settle(() => reject(error));
    };
    const stopWatching = pace.watch({ received: () => gathered.length, fail });
    const settle = (outcome: () => void): void => {
      stopWatching();
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

/** The bytes of a body in one piece that grows: kept one by one, tiny chunks would take many times their size. */
class Gathered {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  add(chunk: Buffer): void {
    // Most bodies come in one chunk, which is not copied.
    if (this.#length === 0) this.#buffer = chunk;
    const length = this.#length + chunk.byteLength;
    if (length > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.byteLength));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    if (this.#buffer !== chunk) this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }
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
