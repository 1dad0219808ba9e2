/** A pause that another caller can end early. */
export class WakeablePause {
  #end: ((isWoken: boolean) => void) | undefined;

  /** Resolves after `ms`, or at the next call of `wake`, with whether `wake` ended the pause. One caller at a time. */
  async wait(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, ms, false);
    this.#end = resolve;
    const isWoken = await promise;
    clearTimeout(timer);
    this.#end = undefined;
    return isWoken;
  }

  /** Ends the pause in progress. Without one, it does nothing: check what you wait for before you call `wait`. */
  wake(): void {
    this.#end?.(true);
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const rest = new WakeablePause();
  const wake = () => rest.wake();
  signal.addEventListener('abort', wake);
  await rest.wait(ms);
  signal.removeEventListener('abort', wake);
}
