/**
 * Functions that release what was acquired, to be called in reverse order. Unlike `AsyncDisposableStack`, it throws the
 * first error itself, not wrapped in a `SuppressedError`, so that its `code` is known.
 */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Calls all functions, also after one has failed, and then throws the first error. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
