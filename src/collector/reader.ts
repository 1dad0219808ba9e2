import { assert } from '../base/index.ts';
import type { Collected, Collector } from './contract.ts';
import { SourceError } from './source-error.ts';

/**
 * One collector, read under a deadline. A read that does not end in time is given up: its signal is aborted and what it
 * may still find is dropped. Until it really ends no other is begun, so that a source that hangs is not asked again and
 * again.
 */
export class Reader {
  readonly #collector: Collector;
  readonly #deadlineMs: number;
  #underWay = false;
  #giveUp: ((error: SourceError) => void) | undefined;

  constructor(collector: Collector, deadlineMs: number) {
    this.#collector = collector;
    this.#deadlineMs = deadlineMs;
  }

  /** Whether a read has begun that has not ended yet, be it given up or not. */
  get busy(): boolean {
    return this.#underWay;
  }

  /** Reads once, while no read is under way. Rejects with what the collector threw, or with `SourceError` (`timeout`). */
  async read(): Promise<Collected> {
    assert(!this.#underWay, 'a source was read although its last read has not ended');
    const controller = new AbortController();
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    const giveUp = (error: SourceError): void => {
      reject(error);
      controller.abort(error);
    };
    this.#giveUp = giveUp;
    // Not unref'd, unlike the timers between reads: somebody waits for this read, who must be told in any case.
    const timer = setTimeout(
      () => giveUp(new SourceError('timeout', `expected an answer within ${this.#deadlineMs} ms, none came`)),
      this.#deadlineMs,
    );
    try {
      return await Promise.race([this.#collect(controller.signal), givenUp]);
    } finally {
      clearTimeout(timer);
      this.#giveUp = undefined;
    }
  }

  /** Gives up the read under way, if there is one. */
  abort(): void {
    this.#giveUp?.(new SourceError('failed', 'the read was given up, since its source is being closed'));
  }

  async #collect(signal: AbortSignal): Promise<Collected> {
    this.#underWay = true;
    try {
      return await this.#collector.collect(signal);
    } finally {
      this.#underWay = false;
    }
  }
}
