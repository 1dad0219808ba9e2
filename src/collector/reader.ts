import { assert, unlessAborted } from '../base/index.ts';
import type { Collected, Collector } from './contract.ts';
import { SourceError } from './source-error.ts';

/**
 * Reads one collector with a deadline. At the deadline, the read's signal is aborted and its result will be ignored.
 * The next read may begin only after the aborted one has ended, so that a hanging source does not collect requests.
 */
export class Reader {
  readonly #collector: Collector;
  readonly #deadlineMs: number;
  #running = false;
  #aborting: AbortController | undefined;

  constructor(collector: Collector, deadlineMs: number) {
    this.#collector = collector;
    this.#deadlineMs = deadlineMs;
  }

  /** Whether a read is running, including an aborted one. */
  get busy(): boolean {
    return this.#running;
  }

  /** Reads once; no read may be running. Rejects with the collector's error, or with `SourceError` (`timeout`). */
  async read(): Promise<Collected> {
    assert(!this.#running, 'a source was read while its previous read was running');
    const aborting = new AbortController();
    this.#aborting = aborting;
    const late = new SourceError('timeout', `expected a response within ${this.#deadlineMs} ms, got none`);
    // Not unref'ed, unlike the timers between reads: a caller is waiting.
    const timer = setTimeout(() => aborting.abort(late), this.#deadlineMs);
    try {
      return await unlessAborted(this.#collect(aborting.signal), aborting.signal);
    } finally {
      clearTimeout(timer);
      this.#aborting = undefined;
    }
  }

  /** Aborts the read in flight, if any. */
  abort(): void {
    this.#aborting?.abort(new SourceError('failed', 'the read was aborted because its source is being closed'));
  }

  async #collect(signal: AbortSignal): Promise<Collected> {
    this.#running = true;
    try {
      return await this.#collector.collect(signal);
    } finally {
      this.#running = false;
    }
  }
}
