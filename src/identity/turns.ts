/** A task that waits for its turn. */
interface Waiting {
  readonly rank: () => number;
  readonly begin: () => void;
  readonly giveWay: () => void;
}

/**
 * Lets a bounded number of tasks run at once and a bounded number wait. Those of the lowest rank at that time go first, and
 * of one rank those that came first. When too many wait, the last one of the highest rank gives way.
 */
export class Turns {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  /** In the order in which they came. */
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(options: { readonly runningMax: number; readonly waitingMax: number }) {
    this.#runningMax = options.runningMax;
    this.#waitingMax = options.waitingMax;
  }

  /** Runs `task` when its turn comes. Answers `busy`, without running it, when too many wait that go before it. */
  take<T>(task: () => Promise<T>, rank: () => number = () => 0): Promise<T | 'busy'> {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return this.#run(task);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ rank, begin: () => resolve(this.#run(task)), giveWay: () => resolve('busy') });
      if (this.#waiting.length > this.#waitingMax) this.#remove((rank, best) => rank >= best)?.giveWay();
    });
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The turn is handed over without being given up, or a task that comes in between would get it as well.
      const next = this.#remove((rank, best) => rank < best);
      if (next === undefined) this.#running--;
      else next.begin();
    }
  }

  /** Takes out the one whose rank is better than those of all others. */
  #remove(isBetter: (rank: number, best: number) => boolean): Waiting | undefined {
    const ranks = this.#waiting.map(({ rank }) => rank());
    let at = 0;
    for (const [index, rank] of ranks.entries()) if (index > 0 && isBetter(rank, ranks[at] ?? 0)) at = index;
    return this.#waiting.splice(at, 1)[0];
  }
}
