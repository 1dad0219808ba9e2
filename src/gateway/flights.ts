/** Work that several callers want at once and that is done once: whoever asks while it runs gets the same promise. */
export class Flights<Value> {
  readonly #running = new Map<string, Promise<Value>>();

  /** Whether work runs under this key, which `run` would join. */
  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Joins the work that runs under this key, or starts it. A failure goes to all who joined, and is not remembered. */
  run(key: string, work: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
