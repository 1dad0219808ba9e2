import { assert, unlessAborted } from '../base/index.ts';
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
  #aborting: AbortController | undefined;

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
    const aborting = new AbortController();
    this.#aborting = aborting;
    const late = new SourceError('timeout', `expected an answer within ${this.#deadlineMs} ms, none came`);
    // Unlike the timers between reads, this one keeps the process alive: a caller waits for this read.
    const timer = setTimeout(() => aborting.abort(late), this.#deadlineMs);
    try {
      return await unlessAborted(this.#collect(aborting.signal), aborting.signal);
    } finally {
      clearTimeout(timer);
      this.#aborting = undefined;
    }
  }

  /** Gives up the read under way, if there is one. */
  abort(): void {
    this.#aborting?.abort(new SourceError('failed', 'the read was given up, since its source is being closed'));
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
