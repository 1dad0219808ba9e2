import { limits, type Clock } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';

/** Statuses of an upstream that has no answer for now, whatever the method: a GET would only add to its load. */
const unavailable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Whether GET may still give what HEAD did not: the upstream refused HEAD, led it astray by redirects, or broke the
 * connection instead of an answer.
 */
function isWorthAsking(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  if (error.answered === undefined) return error.kind === 'invalid' || error.retryable;
  return !unavailable.has(error.answered);
}

/**
 * Asks one upstream for one kind of content. HEAD is a hint, GET is the truth: where HEAD fails, GET decides. An upstream
 * whose HEAD is refused while its GET succeeds is asked by GET alone for `limits.upstreamHeadRefusedMs`.
 */
export class HeadFirst {
  readonly #clock: Clock;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  /** The last HEAD got no answer: that may be HEAD itself, so that the next question goes by GET. */
  #isSuspect = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The outcome of `head`, or of `get` where HEAD is refused. Rejects as `get` does, or as `head` for an absent upstream. */
  async ask<ByHead, ByGet>(head: () => Promise<ByHead>, get: () => Promise<ByGet>): Promise<ByHead | ByGet> {
    if (this.#isSuspect || this.#clock.monotonic() < this.#refusedUntilMs) {
      this.#isSuspect = false;
      return get();
    }
    try {
      return await head();
    } catch (error) {
      if (!isWorthAsking(error)) {
        this.#isSuspect = error instanceof UpstreamError && error.kind === 'unreachable';
        throw error;
      }
      const got = await get();
      // A broken connection may be an accident, but an answer is what this upstream makes of HEAD.
      if (error.kind !== 'unreachable') this.contradicted();
      return got;
    }
  }

  /** GET gave something else than HEAD: HEAD is not asked for a while. */
  contradicted(): void {
    this.#refusedUntilMs = this.#clock.monotonic() + limits.upstreamHeadRefusedMs;
  }
}
