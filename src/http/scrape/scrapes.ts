import { unlessAborted } from '../../base/index.ts';

/** One scrape, as far as the making of its exposition goes. */
export interface Scrape {
  /** What is asked for, format and filter: scrapes with the same key may get the same bytes. */
  readonly key: string;
  readonly make: () => AsyncIterable<Uint8Array>;
  /** Wants to know the length before the first byte is sent. */
  readonly whole: boolean;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** What there is to send: while it is made, or made already, and then of a known length. */
export type Exposition =
  | { readonly kind: 'stream'; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: 'whole'; readonly chunks: readonly Uint8Array[]; readonly length: number };

/** An exposition that is made as a whole, for all who ask for it until it is complete. */
interface Body extends Pick<Scrape, 'key' | 'make'> {
  readonly chunks: PromiseWithResolvers<readonly Uint8Array[]>;
  /** Who waits for it or is sending it. */
  readers: number;
  /** How many there have been. */
  joined: number;
  begun: boolean;
}

/**
 * Makes so many expositions at a time: all but one as streams, at the speed of their readers, and one as a whole, which
 * no slow reader can hold up. Who comes when all streams are taken waits for a whole one, together with all who ask
 * for the same. So a crowd of scrapers costs a fixed number of renderings and of bodies in memory, and some that do not
 * read keep nobody else from their answer.
 */
export class Scrapes {
  readonly #streamsMax: number;
  readonly #bodiesMax: number;
  #streams = 0;
  /** By key, in the order in which they are made: bodies that more readers can join, the one that is made now included. */
  readonly #open = new Map<string, Body>();
  #making = false;
  /** Bodies in memory: begun, and not yet sent to all their readers. */
  #bodies = 0;

  /** `expositionsMax`: made at a time, at least 2. `bodiesMax`: whole ones in memory. */
  constructor({ expositionsMax, bodiesMax }: { readonly expositionsMax: number; readonly bodiesMax: number }) {
    this.#streamsMax = expositionsMax - 1;
    this.#bodiesMax = bodiesMax;
  }

  /**
   * Has a scrape answered by `send`, now or when there is room. Answers whether its exposition was made for several.
   * Rejects with what `make` or `send` threw, or with the reason of `signal` if the scrape is aborted before its turn.
   */
  async run(scrape: Scrape, send: (exposition: Exposition) => Promise<void>): Promise<boolean> {
    scrape.signal.throwIfAborted();
    if (!scrape.whole && this.#streams < this.#streamsMax) {
      this.#streams++;
      try {
        await send({ kind: 'stream', chunks: scrape.make() });
      } finally {
        this.#streams--;
      }
      return false;
    }
    const body = this.#join(scrape);
    try {
      const chunks = await unlessAborted(body.chunks.promise, scrape.signal);
      await send({ kind: 'whole', chunks, length: chunks.reduce((sum, chunk) => sum + chunk.length, 0) });
      return body.joined > 1;
    } finally {
      this.#leave(body);
    }
  }

  #join({ key, make }: Scrape): Body {
    const body = this.#open.get(key) ?? {
      key,
      make,
      chunks: Promise.withResolvers(),
      readers: 0,
      joined: 0,
      begun: false,
    };
    body.readers++;
    body.joined++;
    this.#open.set(key, body);
    this.#makeNext();
    return body;
  }

  #leave(body: Body): void {
    body.readers--;
    if (body.readers > 0) return;
    if (body.begun) this.#bodies--;
    this.#close(body);
    this.#makeNext();
  }

  /** Nobody can join a body any more that is complete, or that its readers have given up. */
  #close(body: Body): void {
    if (this.#open.get(body.key) === body) this.#open.delete(body.key);
  }

  #makeNext(): void {
    const next = this.#next();
    if (this.#making || this.#bodies >= this.#bodiesMax || next === undefined) return;
    this.#making = true;
    this.#bodies++;
    next.begun = true;
    void this.#make(next).finally(() => {
      this.#close(next);
      this.#making = false;
      this.#makeNext();
    });
  }

  #next(): Body | undefined {
    for (const body of this.#open.values()) if (!body.begun) return body;
    return undefined;
  }

  async #make(body: Body): Promise<void> {
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body.make()) {
        // Its readers have left: what they do not take is not made.
        if (body.readers === 0) return;
        chunks.push(chunk);
      }
      body.chunks.resolve(chunks);
    } catch (error) {
      body.chunks.promise.catch(() => undefined);
      body.chunks.reject(error);
    }
  }
}
