type Chunks = AsyncIterable<Uint8Array>;

/**
 * Lets so many expositions be made at a time, and lets those who come beyond that share one: all who ask for the same
 * wait for one exposition, which is made once there is room, and get its bytes. So a crowd of scrapers costs a fixed
 * number of renderings and one body in memory for each kind of question.
 */
export class Scrapes {
  readonly #runningMax: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #shared = new Map<string, Promise<readonly Uint8Array[]>>();

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  /**
   * The exposition that `make` makes, or that somebody else's `make` made for the same `key` (format and filter).
   * Answers whether it is shared. Its chunks are read once; whoever stops reading early ends the iteration.
   */
  async open(
    key: string,
    make: () => Chunks,
  ): Promise<{ readonly chunks: Chunks | readonly Uint8Array[]; readonly shared: boolean }> {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return { chunks: this.#leaving(make()), shared: false };
    }
    const shared = this.#shared.get(key) ?? this.#collect(key, make);
    return { chunks: await shared, shared: true };
  }

  /** Passes the chunks on, and gives the place back when the last one was taken or nobody wants more. */
  async *#leaving(chunks: Chunks): AsyncGenerator<Uint8Array, void> {
    try {
      yield* chunks;
    } finally {
      this.#leave();
    }
  }

  #collect(key: string, make: () => Chunks): Promise<readonly Uint8Array[]> {
    const collected = this.#turn().then(async () => {
      try {
        const chunks: Uint8Array[] = [];
        for await (const chunk of make()) chunks.push(chunk);
        return chunks;
      } finally {
        this.#shared.delete(key);
        this.#leave();
      }
    });
    this.#shared.set(key, collected);
    return collected;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to who has waited longest; nobody else can come in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
