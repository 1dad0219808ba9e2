import { setTimeout as pause } from 'node:timers/promises';
import { limits, messageOf, WakeablePause, type Clock } from '../base/index.ts';
import { retryPauseMs } from './retry.ts';

/** How often a closing loop checks whether its work is done. */
const closePollMs = 10;

/** Work on a store that may be unavailable for a while. */
export interface RetriedWork {
  /** Runs before the first step, after a failure and after a whole idle pause: another server may have taken over. */
  readonly prepare: () => Promise<void>;
  /** Does the next part of the work. Answers whether nothing is left to do. */
  readonly step: () => Promise<boolean>;
  /** Called with each failure of `prepare` and `step`, before the pause that follows. Must not throw or reject. */
  readonly onFailure: (error: unknown, failure: Failure) => Promise<void> | void;
  /** Whether there is work that a close should wait for. */
  readonly hasWork: () => boolean;
  /** Length of the pause when nothing is left to do, in milliseconds. */
  readonly idleMs: number;
}

export interface Failure {
  readonly message: string;
  /** Failures since the last step that succeeded. */
  readonly count: number;
  /** Whether this is the first of them, or has another message than the one before. */
  readonly isNew: boolean;
}

/** Repeats a step for as long as there is work, pauses until there is more, and retries failed steps with backoff. */
export class RetryLoop {
  readonly #work: RetriedWork;
  readonly #clock: Clock;
  readonly #idlePause = new WakeablePause();
  readonly #retryPause = new WakeablePause();
  #isPrepared = false;
  /** Whether there is more work than the step in progress knows of. */
  #isDue = false;
  #failures = 0;
  #failure: string | undefined;
  #isClosed = false;
  #running: Promise<void> | undefined;

  constructor(work: RetriedWork, clock: Clock) {
    this.#work = work;
    this.#clock = clock;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Why the last step failed; `undefined` if it succeeded. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** There is more work: ends the idle pause. A retry still waits until its time. */
  wake(): void {
    this.#isDue = true;
    this.#idlePause.wake();
  }

  /** Waits up to `waitMs` for the work to be done, then ends after the step in progress. */
  async close(waitMs: number): Promise<void> {
    const end = this.#clock.monotonic() + waitMs;
    while (this.#work.hasWork() && this.#clock.monotonic() < end) await pause(closePollMs);
    this.#isClosed = true;
    this.#idlePause.wake();
    this.#retryPause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        if (!this.#isPrepared) await this.#work.prepare();
        this.#isPrepared = true;
        this.#isDue = false;
        const isIdle = await this.#work.step();
        this.#failures = 0;
        this.#failure = undefined;
        if (isIdle) await this.#idle();
      } catch (error) {
        await this.#fail(error);
      }
    }
  }

  async #idle(): Promise<void> {
    if (this.#isClosed || this.#isDue) return;
    this.#isPrepared = await this.#idlePause.wait(this.#work.idleMs);
  }

  async #fail(error: unknown): Promise<void> {
    const message = messageOf(error);
    const isNew = message !== this.#failure;
    this.#isPrepared = false;
    this.#failures++;
    this.#failure = message;
    await this.#work.onFailure(error, { message, count: this.#failures, isNew });
    if (!this.#isClosed) await this.#retryPause.wait(retryPauseMs(this.#failures, limits.deliveryRetryMsMax));
  }
}
