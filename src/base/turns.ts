/** A task that waits for its turn. */
interface Waiting {
  readonly rank: () => number;
  readonly begin: () => void;
  readonly reject: () => void;
}

/**
 * A bounded queue: runs a bounded number of tasks at once and lets a bounded number wait. The task with the lowest rank
 * goes first, and within one rank the task that came first. If too many tasks wait, the last one of the highest rank is
 * rejected as `busy`.
 *
 * Our own, because `p-queue` fixes a task's priority when it is added and bounds no queue; here a rank changes while
 * its task waits.
 */
export class Turns {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(options: { readonly runningMax: number; readonly waitingMax: number }) {
    this.#runningMax = options.runningMax;
    this.#waitingMax = options.waitingMax;
  }

  /**
   * Runs `task` when its turn comes, and answers its result. Answers `busy` without running it if too many tasks wait
   * that go first. `rank` is asked again whenever a turn is free.
   */
  take<T>(task: () => Promise<T>, rank: () => number = () => 0): Promise<T | 'busy'> {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return this.#run(task);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ rank, begin: () => resolve(this.#run(task)), reject: () => resolve('busy') });
      if (this.#waiting.length > this.#waitingMax) this.#remove((rank, best) => rank >= best)?.reject();
    });
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // Hand the turn over without freeing it: a task that arrives in between must not take it as well.
      const next = this.#remove((rank, best) => rank < best);
      if (next === undefined) this.#running--;
      else next.begin();
    }
  }

  /** Removes the waiting task whose rank is better than those of all others. */
  #remove(isBetter: (rank: number, best: number) => boolean): Waiting | undefined {
    const ranks = this.#waiting.map(({ rank }) => rank());
    let at = 0;
    for (const [index, rank] of ranks.entries()) if (index > 0 && isBetter(rank, ranks[at] ?? 0)) at = index;
    return this.#waiting.splice(at, 1)[0];
  }
}
