/** Lets a bounded number of tasks run at once and a bounded number wait, in the order in which they came. */
export class Turns {
  readonly #runningMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { readonly runningMax: number; readonly waitingMax: number }) {
    this.#runningMax = options.runningMax;
    this.#waitingMax = options.waitingMax;
  }

  /** Runs `task` when its turn comes; answers `undefined` at once, without running it, when too many wait already. */
  take<T>(task: () => Promise<T>): Promise<T> | undefined {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return this.#run(task);
    }
    if (this.#waiting.length >= this.#waitingMax) return undefined;
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#run(task))));
  }

  async #run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      // The turn is handed over without being given up, or somebody who comes in between would get it as well.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
