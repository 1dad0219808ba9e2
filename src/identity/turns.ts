/** A task that waits for its turn. */
interface Waiting {
  readonly rank: number;
  readonly begin: () => void;
  readonly giveWay: () => void;
}

/**
 * Lets a bounded number of tasks run at once and a bounded number wait. Those of the lowest rank go first, and of one rank
 * those that came first. When too many wait, one of the highest rank gives way.
 */
export class Turns {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  /** In the order of their turns. */
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(options: { readonly runningMax: number; readonly waitingMax: number }) {
    this.#runningMax = options.runningMax;
    this.#waitingMax = options.waitingMax;
  }

  /** Runs `task` when its turn comes. Answers `busy`, without running it, when too many wait that go before it. */
  take<T>(task: () => Promise<T>, rank = 0): Promise<T | 'busy'> {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return this.#run(task);
    }
    return new Promise((resolve) => {
      const waiting = { rank, begin: () => resolve(this.#run(task)), giveWay: () => resolve('busy') };
      const next = this.#waiting.findLastIndex((each) => each.rank <= rank) + 1;
      this.#waiting.splice(next, 0, waiting);
      if (this.#waiting.length > this.#waitingMax) this.#waiting.pop()?.giveWay();
    });
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The turn is handed over without being given up, or a task that comes in between would get it as well.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next.begin();
    }
  }
}
