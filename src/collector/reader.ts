import { assert, endsWithin, limits, unlessAborted, type Turns } from '../base/index.ts';
import type { Collected, Collector } from './contract.ts';
import { SourceError } from './source-error.ts';

export interface ReaderOptions {
  readonly collector: Collector;
  readonly deadlineMs: number;
  /** Readers that share it read one after another. */
  readonly turns?: Turns | undefined;
  /** The reader with the lowest rank has the next turn. Default: 0. */
  readonly rank?: number;
}

/**
 * Reads one collector with a deadline. At the deadline, the read's signal is aborted and its result will be ignored.
 * The next read may begin only after the aborted one has ended, so that a hanging source does not collect requests.
 */
export class Reader {
  readonly #collector: Collector;
  readonly #deadlineMs: number;
  readonly #turns: Turns | undefined;
  readonly #rank: number;
  /** The read in progress, including an aborted one. Never rejects. */
  #running: Promise<void> | undefined;
  #aborting: AbortController | undefined;

  constructor({ collector, deadlineMs, turns, rank = 0 }: ReaderOptions) {
    this.#collector = collector;
    this.#deadlineMs = deadlineMs;
    this.#turns = turns;
    this.#rank = rank;
  }

  /** Whether a read is running, including an aborted one. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Reads once when its turn comes; no read may be running. Rejects with the collector's error, or with `SourceError`
   * (`timeout`). The deadline begins with the turn.
   */
  async read(): Promise<Collected> {
    assert(!this.busy && this.#aborting === undefined, 'a source was read while its previous read was running');
    const aborting = new AbortController();
    this.#aborting = aborting;
    try {
      return await unlessAborted(this.#inTurn(aborting), aborting.signal);
    } finally {
      this.#aborting = undefined;
    }
  }

  /** Aborts the read in flight, if any, also one that waits for its turn. */
  abort(): void {
    this.#aborting?.abort(new SourceError('failed', 'the read was aborted because its source is being closed'));
  }

  /** Reads in turn. Keeps the turn of an aborted read until it has ended, as far as it ends soon. */
  async #inTurn(aborting: AbortController): Promise<Collected> {
    if (this.#turns === undefined) return this.#withDeadline(aborting);
    const { promise: outcome, resolve, reject } = Promise.withResolvers<Collected>();
    const taken = this.#turns.take(
      async () => {
        await this.#withDeadline(aborting).then(resolve, reject);
        if (this.#running !== undefined) await endsWithin(limits.sourceAbortMsMax, this.#running);
      },
      () => this.#rank,
    );
    const isBusy = taken.then((result) => {
      if (result === 'busy') throw new SourceError('failed', 'too many reads wait for the connection of this source');
      return outcome;
    });
    return Promise.race([outcome, isBusy]);
  }

  async #withDeadline(aborting: AbortController): Promise<Collected> {
    const { signal } = aborting;
    signal.throwIfAborted();
    const late = new SourceError('timeout', `expected a response within ${this.#deadlineMs} ms, got none`);
    // Not unref'ed, unlike the timers between reads: a caller is waiting.
    const timer = setTimeout(() => aborting.abort(late), this.#deadlineMs);
    try {
      return await unlessAborted(this.#collect(signal), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(signal: AbortSignal): Promise<Collected> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#running = ended;
    try {
      return await this.#collector.collect(signal);
    } finally {
      this.#running = undefined;
      end();
    }
  }
}
