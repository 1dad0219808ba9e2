import { limits } from '../base/index.ts';

const firstPauseMs = 100;

/** The pause before the next try of a commit that has failed `failures` times: doubling, up to the limit. */
export function retryPauseMs(failures: number, mostMs: number = limits.commitRetryMsMax): number {
  return Math.min(firstPauseMs * 2 ** (failures - 1), mostMs);
}

/** Pauses that can be cut short: a ledger that is closing does not want to sleep its retries out. */
export class Pauses {
  #hurried = false;
  #wake: (() => void) | undefined;

  async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#hurried ? Math.min(ms, firstPauseMs) : ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Ends the pause under way, and makes those to come short. */
  hurry(): void {
    this.#hurried = true;
    this.#wake?.();
  }
}
