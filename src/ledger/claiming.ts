import { setTimeout as pause } from 'node:timers/promises';
import { limits, messageOf, WakeablePause, type Clock, type Log } from '../base/index.ts';
import type { KeyHash, PendingEvents, SettledClaims, SharedClaims } from '../store/index.ts';
import { retryPauseMs } from './retry.ts';

/** How often a closing ledger looks whether all is claimed. */
const closePollMs = 10;

export interface ClaimingOptions {
  readonly pending: PendingEvents;
  readonly shared: SharedClaims;
  /** Commits what became of claims; rejects when nobody knows whether it did. */
  readonly settle: (claims: SettledClaims) => Promise<void>;
  /** Called each time that the instances have agreed on the hash of identities. */
  readonly onAgreed: (keyHash: KeyHash) => void;
  /** Told of claims whose outcome is committed. */
  readonly onSettled: (claims: SettledClaims) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the claims of a ledger are doing. */
export interface ClaimingStatus {
  /** Events that are stored and not counted yet. */
  readonly events: number;
  /** Whether events can be taken at all: the hash of their identities is known. */
  readonly isReady: boolean;
  /** Why nothing gets claimed; absent while all is well. */
  readonly failure?: string;
}

/**
 * Makes stored events count, each once among all instances: asks the store that these share who had it first, and commits
 * the answer as a batch like any other. What is stored is owed, and what is counted is owed no more, in one transaction; in
 * between, a claim that is asked for again gets the same answer. So it does not matter when the process dies.
 */
export class Claiming {
  readonly #options: ClaimingOptions;
  readonly #retryPause = new WakeablePause();
  readonly #idlePause = new WakeablePause();
  #hasAgreed = false;
  #failure: string | undefined;
  #failures = 0;
  /** The failure that the log has. */
  #told: string | undefined;
  #forgottenAt = -Infinity;
  #isDue = false;
  #closed = false;
  #running: Promise<void> | undefined;

  constructor(options: ClaimingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something has been committed. */
  notify(): void {
    if (this.#options.pending.events === 0) return;
    this.#isDue = true;
    this.#idlePause.wake();
  }

  status(): ClaimingStatus {
    const { pending, shared } = this.#options;
    return {
      events: pending.events,
      isReady: shared.keyHash !== undefined,
      ...(this.#failure !== undefined && { failure: this.#failure }),
    };
  }

  /**
   * Ends after what is under way, and once all is claimed where that takes no longer than `waitMs`. What has not been is in
   * the ledger, and is claimed after the next start.
   */
  async close(waitMs: number): Promise<void> {
    const { clock, pending } = this.#options;
    const end = clock.monotonic() + waitMs;
    while (pending.events > 0 && this.#failure === undefined && clock.monotonic() < end) await pause(closePollMs);
    this.#closed = true;
    this.#retryPause.wake();
    this.#idlePause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        if (!this.#hasAgreed) await this.#agree();
        this.#isDue = false;
        const isIdle = await this.#claimSome();
        this.#noteSuccess();
        await this.#forget();
        if (isIdle) await this.#sleep();
      } catch (error) {
        this.#noteFailure(error);
        if (!this.#closed) await this.#retryPause.wait(retryPauseMs(this.#failures, limits.deliveryRetryMsMax));
      }
    }
  }

  async #agree(): Promise<void> {
    const { shared, onAgreed } = this.#options;
    onAgreed(await shared.agree());
    this.#hasAgreed = true;
  }

  /** Answers whether there was nothing to claim. */
  async #claimSome(): Promise<boolean> {
    const { pending, shared, settle, onSettled } = this.#options;
    const request = pending.events === 0 ? undefined : await pending.read(limits.claimedEventsMax);
    if (!request) return true;
    const settled = await shared.claim(request);
    await settle(settled);
    onSettled(settled);
    return false;
  }

  async #forget(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now - this.#forgottenAt < limits.claimsForgetEveryMs) return;
    await this.#options.shared.forget();
    this.#forgottenAt = now;
  }

  async #sleep(): Promise<void> {
    if (this.#closed || this.#isDue) return;
    // After a while Redis may have lost the secret, and a new instance would bring its own.
    if (!(await this.#idlePause.wait(limits.evictionCheckMs))) this.#hasAgreed = false;
  }

  #noteSuccess(): void {
    if (this.#failures > 0)
      this.#options.log.info({}, 'events are claimed among the instances again; nothing was lost');
    this.#failures = 0;
    this.#failure = undefined;
  }

  #noteFailure(error: unknown): void {
    const failure = messageOf(error);
    this.#failures++;
    // Whoever answers next may be another server.
    this.#hasAgreed = false;
    this.#failure = failure;
    // The first try of all comes before the connection is up.
    if (failure === this.#told || this.#failures < 2) return;
    this.#told = failure;
    this.#options.log.error(
      { error: failure, events: this.#options.pending.events },
      'events cannot be claimed among the instances; they are safe on disk, are not counted yet, and it tries again',
    );
  }
}
