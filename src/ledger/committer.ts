import { messageOf, type Clock, type Log } from '../base/index.ts';
import type { Journal } from '../store/index.ts';
import type { Calendar } from '../usage/index.ts';
import type { KeptDimensions } from './dimensions.ts';
import type { LedgerInstruments } from './metrics.ts';
import { Pending, type Count } from './pending.ts';
import { Pauses, retryPauseMs } from './retry.ts';

export interface CommitterOptions {
  readonly journal: Journal;
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly log: Log;
  readonly instruments: LedgerInstruments;
  readonly kept: KeptDimensions;
  /** Told of each batch once it is stored. */
  readonly onCommitted: (batch: Pending) => void;
}

/**
 * Natural group commit: while one batch is being committed the next one gathers, and goes as soon as the last has
 * ended. No timer, so one pull alone is committed at once, and ten thousand at a time cost one transaction.
 *
 * A batch whose commit fails is tried again, the same batch under the same number, because nobody can know whether
 * a failed try was stored after all; the journal answers a number that it has with success.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #pauses = new Pauses();
  #gathering = new Pending();
  #committing: Pending | undefined;
  #lastNumber: number;
  #running: Promise<void> | undefined;
  #failure: string | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#lastNumber = options.journal.lastBatch;
  }

  get unsavedEvents(): number {
    return this.#gathering.events + (this.#committing?.events ?? 0);
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** Adds counts of this moment to the batch that gathers, which is returned: its `wait` ends with its commit. */
  add(counts: readonly Count[]): Pending {
    const { calendar, clock, instruments, kept } = this.#options;
    const batch = this.#gathering;
    const day = calendar.dayOf(clock.now());
    for (const count of counts) {
      const dimensions = kept.keep(day, count.dimensions);
      if (batch.add(day, { ...count, dimensions })) instruments.foldedEvents.inc();
    }
    // One turn later, so that what arrives in the same turn of the event loop shares the first commit too.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run());
    return batch;
  }

  /** Resolves once nothing is left to commit; retries come in quick succession from now on. */
  async settle(): Promise<void> {
    this.#pauses.hurry();
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#gathering.empty) {
      const batch = this.#gathering;
      this.#committing = batch;
      this.#gathering = new Pending();
      await this.#commit(batch);
      this.#committing = undefined;
      this.#options.onCommitted(batch);
      batch.release();
    }
    this.#running = undefined;
  }

  async #commit(batch: Pending): Promise<void> {
    const { journal, clock, instruments } = this.#options;
    const stored = { number: ++this.#lastNumber, increments: batch.increments() };
    for (let failures = 1; ; failures++) {
      const started = clock.monotonic();
      try {
        await journal.commit(stored);
        instruments.commitSeconds.observe((clock.monotonic() - started) / 1000);
        instruments.commitEvents.observe(batch.events);
        this.#noteSuccess(failures);
        return;
      } catch (error) {
        this.#noteFailure(error, stored.number, failures);
        await this.#pauses.sleep(retryPauseMs(failures));
      }
    }
  }

  #noteSuccess(tries: number): void {
    this.#failure = undefined;
    if (tries > 1) this.#options.log.info({ tries }, 'the ledger commits again; nothing was lost');
  }

  #noteFailure(error: unknown, number: number, failures: number): void {
    this.#failure = messageOf(error);
    this.#options.instruments.failedCommits.inc();
    const fields = { error: messageOf(error), batch: number, failures, unsavedEvents: this.unsavedEvents };
    this.#options.log.error(fields, 'the ledger could not commit; it keeps the counts in memory and tries again');
  }
}
