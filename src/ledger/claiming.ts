import { limits, type Clock, type Log } from '../base/index.ts';
import type { KeyHash, PendingEvents, SettledClaims, SharedClaims } from '../store/index.ts';
import { RetryLoop, type Failure } from './retry-loop.ts';

export interface ClaimingOptions {
  readonly pending: PendingEvents;
  readonly shared: SharedClaims;
  /** Called each time that the instances have agreed on the hash of identities. */
  readonly onAgreed: (keyHash: KeyHash) => void;
  /** Commits the outcome of claims. Rejects if it is unknown whether that succeeded. */
  readonly settle: (claims: SettledClaims) => Promise<void>;
  /** Called with claims whose outcome is committed. */
  readonly onSettled: (claims: SettledClaims) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The state of a ledger's claims. */
export interface ClaimingStatus {
  /** Events that are stored and do not count yet. */
  readonly events: number;
  /** Whether the ledger can accept events: it knows the hash of their identities. */
  readonly isReady: boolean;
  /** Why claims fail; absent while they succeed. */
  readonly failure?: string;
}

/**
 * Makes stored events count, each once among all instances. Asks the store that the instances share which of them had
 * an event first, and commits the answer as a batch like any other. One transaction both counts an event and removes it
 * from the pending events. A claim that is repeated gets the same answer, so the process may be killed at any time.
 */
export class Claiming {
  readonly #options: ClaimingOptions;
  readonly #loop: RetryLoop;
  /** The log has reported a failure, and not yet its end. */
  #isTroubled = false;
  #forgottenAt = -Infinity;

  constructor(options: ClaimingOptions) {
    this.#options = options;
    const { pending, shared, onAgreed, clock } = options;
    this.#loop = new RetryLoop(
      {
        // Redis may have lost the secret since the last agreement, and a new instance would bring its own.
        prepare: async () => onAgreed(await shared.agree()),
        step: () => this.#claimSome(),
        onFailure: (_error, failure) => this.#noteFailure(failure),
        hasWork: () => pending.events > 0 && this.#loop.failure === undefined,
        idleMs: limits.evictionCheckMs,
      },
      clock,
    );
  }

  start(): void {
    this.#loop.start();
  }

  /** A batch has been committed. */
  notify(): void {
    if (this.#options.pending.events > 0) this.#loop.wake();
  }

  status(): ClaimingStatus {
    const { pending, shared } = this.#options;
    const failure = this.#loop.failure;
    return {
      events: pending.events,
      isReady: shared.keyHash !== undefined,
      ...(failure !== undefined && { failure }),
    };
  }

  /** Waits up to `waitMs` until all events are claimed. The ledger claims the rest after its next start. */
  close(waitMs: number): Promise<void> {
    return this.#loop.close(waitMs);
  }

  /** Answers whether there was nothing to claim. */
  async #claimSome(): Promise<boolean> {
    const { pending, shared, settle, onSettled, log } = this.#options;
    const request = pending.events === 0 ? undefined : await pending.read(limits.claimedEventsMax);
    if (request) {
      const settled = await shared.claim(request);
      await settle(settled);
      onSettled(settled);
    }
    if (this.#isTroubled) log.info({}, 'events are claimed among the instances again; nothing was lost');
    this.#isTroubled = false;
    await this.#forget();
    return request === undefined;
  }

  async #forget(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now - this.#forgottenAt < limits.claimsForgetEveryMs) return;
    await this.#options.shared.forget();
    this.#forgottenAt = now;
  }

  /** Ignores the first failure in a row: the first attempt comes before the connection. Logs each message once. */
  #noteFailure({ message, count, isNew }: Failure): void {
    if (count < 2 || (count > 2 && !isNew)) return;
    this.#isTroubled = true;
    this.#options.log.error(
      { error: message, events: this.#options.pending.events },
      'events cannot be claimed among the instances; they are safe on disk and do not count yet; the ledger retries',
    );
  }
}
