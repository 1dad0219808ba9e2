import { limits, type Clock, type Log } from '../base/index.ts';

export interface FailureLogOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long the same failure is not logged again. Default: `limits.commitFailureQuietMs`. */
  readonly quietMs?: number;
}

/**
 * Logs failures of something that is retried: a new reason at once, a reason that was logged before only now and then, with
 * the number of tries in between. Success is logged only after a failure was.
 */
export class FailureLog {
  readonly #options: FailureLogOptions;
  readonly #loggedAt = new Map<string, number>();
  #unlogged = 0;
  #isTroubled = false;

  constructor(options: FailureLogOptions) {
    this.#options = options;
  }

  noteFailure(error: string, fields: object, text: string): void {
    const { clock, log, quietMs = limits.commitFailureQuietMs } = this.#options;
    const now = clock.monotonic();
    const loggedAt = this.#loggedAt.get(error);
    if (loggedAt !== undefined && now - loggedAt < quietMs) {
      this.#unlogged++;
      return;
    }
    // Reasons may name sizes and numbers: a reason that is old is as good as a new one.
    for (const [reason, at] of this.#loggedAt) if (now - at >= quietMs) this.#loggedAt.delete(reason);
    if (this.#loggedAt.size >= reasonsMax) {
      this.#unlogged++;
      return;
    }
    this.#loggedAt.set(error, now);
    log.error({ error, ...fields, ...(this.#unlogged > 0 && { unlogged: this.#unlogged }) }, text);
    this.#unlogged = 0;
    this.#isTroubled = true;
  }

  noteSuccess(fields: object, text: string): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#options.log.info(fields, text);
  }
}

/** Reasons logged within `quietMs`, at most. */
const reasonsMax = 8;
