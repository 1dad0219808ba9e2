import { limits, messageOf, TonnageError, WakeablePause, type Clock, type Log } from '../base/index.ts';
import type { Batch, Committed, Journal, SettledClaims } from '../store/index.ts';
import type { Calendar, EventResult, Increment, LedgerEvent } from '../usage/index.ts';
import type { KeptDimensions } from './dimensions.ts';
import type { EventKeys } from './event-key.ts';
import type { DayMaxOf } from './keyed-batch.ts';
import type { LedgerInstruments } from './metrics.ts';
import { PendingBatch, type Count } from './pending-batch.ts';
import { FailureLog } from './failure-log.ts';
import { firstPauseMs, retryPauseMs } from './retry.ts';

export interface CommitterOptions {
  readonly journal: Journal;
  readonly calendar: Calendar;
  readonly clock: Clock;
  readonly log: Log;
  readonly instruments: LedgerInstruments;
  readonly kept: KeptDimensions;
  /** How much one organisation may have of a meter on one day. Absent: there is no limit. */
  readonly dayMaxOf?: DayMaxOf;
  readonly eventKeys: EventKeys;
  /** Called with each batch once it is committed. The next batch waits for the promise. */
  readonly onCommitted: (batch: Batch, committed: Committed) => Promise<void> | undefined;
  /** The times before which the ledger may delete keys and details now (`Journal.tidy`). */
  readonly tidyBefore: () => Parameters<Journal['tidy']>[0];
}

interface Backfill {
  readonly increments: readonly Increment[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Settlement {
  readonly claims: SettledClaims;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Natural group commit: while one batch is being committed, the next one gathers, and it is committed as soon as the last
 * commit has ended. There is no timer: a single pull is committed at once, and ten thousand pulls share one transaction.
 *
 * The committer retries a failed commit with the same increments and the same number, because the failed attempt may have been
 * stored after all: the journal ignores a number that it has. Keyed events (events with an identity) are only in the first
 * attempt. If it fails, they are rejected, and the sender's retry gets their results.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #retryPause = new WakeablePause();
  /** While closing, retries come in quick succession. */
  #retryMsMax: number = limits.commitRetryMsMax;
  readonly #failures: FailureLog;
  #gathering: PendingBatch;
  #committing: PendingBatch | undefined;
  #lastNumber: number;
  #running: Promise<void> | undefined;
  #failure: string | undefined;
  #isTidyDue = false;
  readonly #backfills: Backfill[] = [];
  #settlement: Settlement | undefined;
  #hasFailedToSettle = false;
  #hasStopped = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options);
    this.#gathering = new PendingBatch(options.kept.cells);
    this.#lastNumber = options.journal.lastBatch;
  }

  get unsavedEvents(): number {
    return this.#gathering.events + (this.#committing?.events ?? 0);
  }

  /** The sum of each meter that is only in memory. */
  unsavedQuantities(): ReadonlyMap<string, bigint> {
    const sums = new Map<string, bigint>();
    for (const batch of [this.#committing, this.#gathering]) {
      for (const { meter, quantity } of batch?.increments() ?? []) sums.set(meter, (sums.get(meter) ?? 0n) + quantity);
    }
    return sums;
  }

  /** Keyed events that wait for their commit. */
  get waitingEvents(): number {
    return this.#gathering.keyedEvents + (this.#committing?.keyedEvents ?? 0);
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** Adds counts to the gathering batch and returns the batch, whose `wait` resolves after its commit. */
  add(counts: readonly Count[]): PendingBatch {
    const { calendar, clock, instruments, kept } = this.#options;
    const batch = this.#gathering;
    const day = calendar.dayOf(clock.now());
    for (const count of counts) {
      if (batch.add(kept.cells.of(count.meter, day, count.dimensions), count.quantity)) instruments.foldedEvents.inc();
    }
    this.#start();
    return batch;
  }

  /**
   * Adds keyed events to the gathering batch, and resolves with their results. Rejects with `ledger_unavailable` if
   * their commit fails, or if too many events wait already.
   */
  async ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]> {
    this.#assertRoom(events.length);
    const { calendar, kept, eventKeys } = this.#options;
    eventKeys.known();
    const days = new Set(events.map(({ time }) => calendar.dayOf(time)));
    if (![...days].every((day) => kept.isPrepared(day))) await kept.prepare(days);
    const batch = this.#gathering;
    const { keyed } = batch;
    for (const event of events) {
      const offset = keyed.reserve();
      eventKeys.write(event, keyed.keys, offset);
      if (event.kind === 'void') {
        keyed.addVoid((out, at) => eventKeys.write(event.target, out, at));
        continue;
      }
      const isStated = event.tenant === undefined || event.tenant !== event.dimensions.org;
      const cell = kept.cells.of(event.meter, calendar.dayOf(event.time), event.dimensions, isStated);
      keyed.add(cell, Number(event.quantity), isStated);
    }
    const results = batch.results(events.length);
    this.#start();
    return results;
  }

  /** Commits increments of past days, between other commits. Rejects if that fails; then nothing is written. */
  backfill(increments: readonly Increment[]): Promise<void> {
    if (this.#hasStopped) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#backfills.push({ increments, resolve, reject });
      this.#start();
    });
  }

  /**
   * Commits the outcome of claims together with the gathering batch. One call at a time. Rejects if it is unknown
   * whether the outcome was stored; the caller then reads the pending events again.
   */
  settleClaims(claims: SettledClaims): Promise<void> {
    if (this.#hasStopped) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      this.#settlement = { claims, resolve, reject };
      this.#start();
    });
  }

  /** Deletes outdated keys and details, between commits. */
  tidy(): void {
    this.#isTidyDue = true;
    this.#start();
  }

  /** Resolves once nothing is left to commit. From now on, retries follow each other quickly. */
  async settle(): Promise<void> {
    this.#hurry();
    while (this.#running) await this.#running;
  }

  /**
   * Stops committing and retrying, since the store is about to close. Counts that are not committed stay in
   * `unsavedEvents`; all other waiting work is rejected.
   */
  stop(): void {
    this.#hasStopped = true;
    this.#hurry();
    this.#gathering.rejectKeyed(stopped());
    this.#settlement?.reject(stopped());
    this.#settlement = undefined;
    for (const { reject } of this.#backfills.splice(0)) reject(stopped());
  }

  #hurry(): void {
    this.#retryMsMax = firstPauseMs;
    this.#retryPause.wake();
  }

  #assertRoom(events: number): void {
    if (this.#hasStopped) throw stopped();
    if (this.#failure !== undefined) {
      throw new TonnageError('ledger_unavailable', `the ledger cannot commit right now: ${this.#failure}`);
    }
    const waiting = this.waitingEvents;
    if (waiting + events <= limits.waitingEventsMax) return;
    throw new TonnageError(
      'ledger_unavailable',
      `${waiting} events wait for their commit, at most ${limits.waitingEventsMax} may: send these events again later`,
    );
  }

  /** Begins in the next turn of the event loop, so that everything of this turn shares the first commit. */
  #start(): void {
    if (this.#hasStopped) return;
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#hasWork) {
      if (!this.#gathering.empty || this.#settlement) await this.#commitGathered();
      const backfill = this.#backfills.shift();
      if (backfill) await this.#commitHistory(backfill);
      if (this.#isTidyDue) await this.#tidySlice();
    }
    this.#running = undefined;
  }

  get #hasWork(): boolean {
    if (this.#hasStopped) return false;
    return !this.#gathering.empty || this.#settlement !== undefined || this.#isTidyDue || this.#backfills.length > 0;
  }

  async #commitGathered(): Promise<void> {
    const settlement = this.#settlement;
    this.#settlement = undefined;
    // Alone after a failure: the store may be full, and only the settlement makes room.
    if (settlement && this.#hasFailedToSettle) {
      await this.#commit(new PendingBatch(this.#options.kept.cells), settlement);
      return;
    }
    const batch = this.#gathering;
    this.#committing = batch;
    this.#gathering = new PendingBatch(this.#options.kept.cells);
    // A batch that was not committed stays here, so that the ledger can report the loss.
    if (await this.#commit(batch, settlement)) this.#committing = undefined;
    batch.release();
  }

  async #commitHistory({ increments, resolve, reject }: Backfill): Promise<void> {
    const { journal, clock, onCommitted } = this.#options;
    const batch: Batch = { number: this.#lastNumber + 1, at: clock.now(), increments, backfill: true };
    try {
      const committed = await journal.commit(batch);
      this.#lastNumber++;
      await onCommitted(batch, committed);
      resolve();
    } catch (error) {
      // The batch may have been stored after all. An empty batch with the same number makes its outcome certain.
      await this.#commit(new PendingBatch(this.#options.kept.cells));
      reject(error);
    }
  }

  /** Commits a batch, with as many attempts as that takes. Answers false if the committer was stopped first. */
  async #commit(batch: PendingBatch, settlement?: Settlement): Promise<boolean> {
    const { journal, clock, instruments } = this.#options;
    const increments = batch.increments();
    const events = batch.events + batch.keyedEvents;
    const stored = { number: ++this.#lastNumber, at: clock.now(), increments };
    for (let failures = 1; ; failures++) {
      const started = clock.monotonic();
      const keyed = batch.takeKeyed(this.#options.dayMaxOf);
      const claims = failures === 1 ? settlement?.claims : undefined;
      try {
        const committed = await journal.commit({ ...stored, ...(keyed && { keyed }), ...(claims && { claims }) });
        instruments.commitSeconds.observe((clock.monotonic() - started) / 1000);
        instruments.commitEvents.observe(events);
        this.#noteSuccess(failures);
        // Before the results go out, so that a sender that has its result finds the event in the counters.
        await this.#options.onCommitted(stored, committed);
        if (claims) this.#noteSettled(settlement);
        if (committed.outcomes) batch.settleKeyed(committed.outcomes);
        return true;
      } catch (error) {
        this.#noteFailure(error, stored.number, failures);
        batch.rejectKeyed(new TonnageError('ledger_unavailable', messageOf(error), { cause: error }));
        if (claims) this.#noteSettled(settlement, error);
        if (this.#hasStopped) return false;
        // Without the keyed events or claims, the retry may succeed, and pulls wait for it.
        if (!keyed && !claims) await this.#retryPause.wait(retryPauseMs(failures, this.#retryMsMax));
        if (this.#hasStopped) return false;
      }
    }
  }

  /** After a failure it waits for the next `tidy`: nothing depends on when this happens. */
  async #tidySlice(): Promise<void> {
    try {
      this.#isTidyDue = await this.#options.journal.tidy(this.#options.tidyBefore());
    } catch (error) {
      this.#isTidyDue = false;
      this.#options.log.warn(
        { error: messageOf(error) },
        'the ledger could not delete outdated keys and details; it retries',
      );
    }
  }

  #noteSettled(settlement: Settlement | undefined, error?: unknown): void {
    this.#hasFailedToSettle = error !== undefined;
    if (error === undefined) settlement?.resolve();
    else settlement?.reject(error);
  }

  #noteSuccess(tries: number): void {
    this.#failure = undefined;
    this.#failures.noteSuccess({ tries }, 'the ledger commits again; nothing was lost');
  }

  #noteFailure(error: unknown, number: number, failures: number): void {
    this.#failure = messageOf(error);
    this.#options.instruments.failedCommits.inc();
    const fields = { batch: number, failures, unsavedEvents: this.unsavedEvents };
    const text = 'the ledger could not commit; it keeps the counts in memory and retries';
    this.#failures.noteFailure(messageOf(error), fields, text);
  }
}

function stopped(): TonnageError {
  return new TonnageError(
    'ledger_unavailable',
    'the ledger is closing and commits nothing more: send the events again',
  );
}
