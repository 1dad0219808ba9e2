import { limits, type Clock, type Log } from '../base/index.ts';

export interface FailureLogOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Minimum time between two log lines about the same failure. Default: `limits.commitFailureQuietMs`. */
  readonly quietMs?: number;
}

/**
 * Logs failures of an operation that is retried: a new reason at once, a repeated one only at intervals, with the
 * number of failures in between. Logs a success only after a logged failure.
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
    // Reasons may contain sizes and numbers, so old ones are forgotten.
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

/** Maximum number of reasons logged within `quietMs`. */
const reasonsMax = 8;
