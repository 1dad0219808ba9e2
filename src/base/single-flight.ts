/** Runs work that several callers want only once: callers that come while it runs share its promise. */
export class SingleFlight<Value, Key = string> {
  readonly #running = new Map<Key, Promise<Value>>();

  /** Whether work is in progress under this key, so that `run` would join it. */
  has(key: Key): boolean {
    return this.#running.has(key);
  }

  /** Joins the work in progress under this key, or starts it. A failure rejects all callers, and is not remembered. */
  run(key: Key, work: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
