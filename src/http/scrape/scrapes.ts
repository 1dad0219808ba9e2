import { unlessAborted } from '../../base/index.ts';

export interface Scrape {
  /** Format and filter: scrapes with the same key may share their bytes. */
  readonly key: string;
  /** Renders the exposition. */
  readonly make: () => AsyncIterable<Uint8Array>;
  /** Whether the scrape needs the length before the first byte. */
  readonly whole: boolean;
  /** Aborts when the scraper no longer waits. */
  readonly signal: AbortSignal;
}

/** An exposition that is rendered while it is sent, or a complete one with its length in bytes. */
export type Exposition =
  | { readonly kind: 'stream'; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: 'whole'; readonly chunks: readonly Uint8Array[]; readonly length: number };

/** A complete exposition that scrapes share. Scrapes may join until it is rendered. */
interface Body extends Pick<Scrape, 'key' | 'make'> {
  readonly chunks: PromiseWithResolvers<readonly Uint8Array[]>;
  /** Scrapes that wait for it or are sending it. */
  readers: number;
  /** Scrapes that have joined, including those that have finished. */
  joined: number;
  begun: boolean;
}

/**
 * Limits concurrent renderings. Most are streams, rendered at the speed of their scraper. One at a time is rendered
 * completely, so that no slow scraper can delay it. While all streams are taken, scrapes wait for a complete exposition
 * and share it if they have the same key. Many scrapers thus cost a fixed number of renderings and of bodies in memory,
 * and scrapers that do not read cannot block the others.
 */
export class Scrapes {
  readonly #streamsMax: number;
  readonly #bodiesMax: number;
  #streams = 0;
  /** Bodies that scrapes can still join, by key, in rendering order. Includes the body that is being rendered. */
  readonly #open = new Map<string, Body>();
  #making = false;
  /** Bodies in memory: begun, but not yet sent to all their readers. */
  #bodies = 0;

  /** `expositionsMax`: concurrent renderings, at least 2. `bodiesMax`: complete expositions in memory. */
  constructor({ expositionsMax, bodiesMax }: { readonly expositionsMax: number; readonly bodiesMax: number }) {
    this.#streamsMax = expositionsMax - 1;
    this.#bodiesMax = bodiesMax;
  }

  /**
   * Answers a scrape with `send`, at once or when a rendering is free. Resolves with whether the exposition was shared.
   * Rejects with the error of `make` or `send`, or with the reason of `signal` if the scrape is aborted while it waits.
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

  /** Stops scrapes from joining a body that is complete or abandoned. */
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
        // All scrapers have disconnected.
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
