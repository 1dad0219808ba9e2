import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { limits, messageOf, TonnageError, Turns, type Clock } from '../../base/index.ts';
import { BodyBudget } from './body-budget.ts';
import { BodyPace } from './body-pace.ts';

const inflate = promisify(gunzip);

/** Reads request bodies into memory, with limits per body, per sender and for all bodies together. */
export interface BodyReader {
  /**
   * Passes the decompressed body to `handle` and resolves with its result. The body counts towards the limits of `sender`
   * until `handle` has finished. Rejects with `request_too_large`, `unsupported_media_type` (a coding other than gzip),
   * `bad_request` (invalid gzip, or the client disconnected), `request_too_slow`, or `unavailable` (over a memory limit).
   */
  read<T>(request: IncomingMessage, sender: string, handle: (body: Buffer) => T | Promise<T>): Promise<T>;
}

/** Concurrent and waiting decompressions. They share Node's thread pool with file access and password hashing. */
const inflations = { runningMax: 2, waitingMax: 1_000 } as const;

/** @param totalBytesMax limit of all bodies in memory together */
export function createBodyReader(
  clock: Pick<Clock, 'monotonic'>,
  totalBytesMax: number = limits.eventBodiesBytesMax,
): BodyReader {
  const budget = new BodyBudget(totalBytesMax);
  const pace = new BodyPace({ clock, isShort: () => budget.isShort });
  const turns = new Turns(inflations);
  return {
    async read(request, sender, handle) {
      const coding = codingOf(request);
      if (Number(request.headers['content-length'] ?? 0) > limits.eventBodyBytesMax) throw tooLarge();
      const share = new Share(budget, sender);
      try {
        const sent = await receive(request, share, pace);
        if (coding === 'identity') return await handle(sent);
        const body = await turns.take(() => decompress(sent));
        if (body === 'busy' || !share.grow(body.length)) throw busy();
        return await handle(body);
      } finally {
        share.release();
      }
    },
  };
}

/** The memory of one body. It grows as the body arrives, so a slow client reserves only what it has sent. */
class Share {
  readonly #budget: BodyBudget;
  readonly #sender: string;
  #bytes = 0;

  constructor(budget: BodyBudget, sender: string) {
    this.#budget = budget;
    this.#sender = sender;
  }

  grow(bytes: number): boolean {
    if (!this.#budget.reserve(this.#sender, bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  release(): void {
    this.#budget.release(this.#sender, this.#bytes);
    this.#bytes = 0;
  }
}

/** Requests whose bodies arrived too slowly. */
const tooSlow = new WeakSet<IncomingMessage>();

/** Whether to read the rest of a rejected body, so that the client can reuse its connection. */
export function isWorthDraining(request: IncomingMessage): boolean {
  if (tooSlow.has(request)) return false;
  const length = request.headers['content-length'];
  return request.complete || (length !== undefined && Number(length) <= limits.eventBodyBytesMax);
}

function busy(): TonnageError {
  return new TonnageError('unavailable', 'too many bodies are in memory, of this sender or in total; send it again');
}

function codingOf(request: IncomingMessage): 'identity' | 'gzip' {
  const coding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '') return 'identity';
  if (coding === 'gzip' || coding === 'x-gzip') return 'gzip';
  throw new TonnageError('unsupported_media_type', 'Content-Encoding: expected gzip or none, got another coding');
}

function tooLarge(): TonnageError {
  const bytesMax = limits.eventBodyBytesMax;
  return new TonnageError(
    'request_too_large',
    `body: expected at most ${bytesMax} bytes after decompression, got more`,
  );
}

/** Uses events, because leaving an async iterator early would close the connection before the response. */
function receive(request: IncomingMessage, share: Share, pace: BodyPace): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const gathered = new Gathered();
    const onData = (chunk: Buffer): void => {
      if (gathered.length + chunk.length > limits.eventBodyBytesMax) settle(() => reject(tooLarge()));
      else if (share.grow(chunk.length)) gathered.add(chunk);
      else settle(() => reject(busy()));
    };
    const onEnd = (): void => settle(() => resolve(gathered.bytes));
    const onClose = (): void => settle(() => reject(new TonnageError('bad_request', 'the body is incomplete')));
    const fail = (error: TonnageError): void => {
      tooSlow.add(request);
      settle(() => reject(error));
    };
    const stopWatching = pace.watch({ received: () => gathered.length, fail });
    const settle = (outcome: () => void): void => {
      stopWatching();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      // Discard the rest: some clients read the response only after they have sent the whole body.
      request.resume();
      outcome();
    };
    // Never removed: a later error without a listener would be thrown.
    request.on('error', onClose);
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** One growing buffer: a list of tiny chunks would take many times their size. */
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
    // Most bodies arrive in one chunk, which is not copied.
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

/** Decompresses on Node's thread pool, up to the limit: a small body can expand to a huge one. */
async function decompress(body: Buffer): Promise<Buffer> {
  try {
    return await inflate(body, { maxOutputLength: limits.eventBodyBytesMax });
  } catch (thrown) {
    if (thrown instanceof RangeError) throw tooLarge();
    throw new TonnageError('bad_request', `body: expected gzip, as Content-Encoding says: ${messageOf(thrown)}`);
  }
}
