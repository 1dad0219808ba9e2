import { limits, type Clock } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';

/** Statuses of an overloaded upstream: a GET would fail as well, and would add to its load. */
const unavailable: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/**
 * Whether GET may succeed although HEAD failed: the upstream rejected HEAD, sent it into a redirect loop, or closed the
 * connection without a response.
 */
function isWorthGet(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  if (error.answered === undefined) return error.kind === 'invalid' || error.retryable;
  return !unavailable.has(error.answered);
}

/**
 * Tries HEAD, then GET, at one upstream for one kind of content. HEAD is a hint, GET is the truth: if HEAD fails, GET
 * decides. If GET succeeds where HEAD failed, only GET is used for `limits.upstreamHeadRefusedMs`.
 */
export class HeadFirst {
  readonly #clock: Clock;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  /** Whether the last HEAD got no response. HEAD itself may be the cause, so the next request is a GET. */
  #isSuspect = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with the result of `head`, or of `get` if HEAD is unsupported. Rejects with the error of the last one tried. */
  async send<ByHead, ByGet>(head: () => Promise<ByHead>, get: () => Promise<ByGet>): Promise<ByHead | ByGet> {
    if (this.#isSuspect || this.#clock.monotonic() < this.#refusedUntilMs) {
      this.#isSuspect = false;
      return get();
    }
    try {
      return await head();
    } catch (error) {
      if (!isWorthGet(error)) {
        this.#isSuspect = error instanceof UpstreamError && error.kind === 'unreachable';
        throw error;
      }
      const got = await get();
      // A lost connection may be a coincidence, but an error response shows how this upstream handles HEAD.
      if (error.kind !== 'unreachable') this.contradicted();
      return got;
    }
  }

  /** Records that GET contradicted HEAD: HEAD is not used for a while. */
  contradicted(): void {
    this.#refusedUntilMs = this.#clock.monotonic() + limits.upstreamHeadRefusedMs;
  }
}
