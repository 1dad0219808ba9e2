import { limits, Lru, type Clock } from '../../base/index.ts';
import { retryAfterMsOf, UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/** The last `Retry-After` of an upstream for a repository. */
interface BackOff {
  readonly kind: 'throttled' | 'failing';
  readonly message: string;
  readonly untilMs: number;
}

/**
 * Layer that obeys `Retry-After` of a 429 or 503 from the upstream or its token endpoint. Until then, requests for the
 * same repository fail at once. A throttled upstream thus recovers sooner, and stale content is served without another
 * request. Other repositories are not affected, because they may have their own limits. `Retry-After` of a redirect
 * target is ignored.
 */
export function withBackOff(next: Send, origin: string, clock: Clock): Send {
  const backOffs = new Lru<BackOff>(limits.upstreamRepositoriesMax);

  function backOff(repository: string, kind: BackOff['kind'], message: string, waitMs: number | undefined): void {
    if (waitMs === undefined) return;
    backOffs.set(repository, { kind, message: `${message} and asked to wait`, untilMs: clock.monotonic() + waitMs });
  }

  return async (request) => {
    const { repository } = request;
    const last = backOffs.get(repository);
    const leftMs = last === undefined ? 0 : last.untilMs - clock.monotonic();
    if (last !== undefined && leftMs > 0) throw new UpstreamError(last.kind, last.message, { retryAfterMs: leftMs });
    try {
      const answer = await next(request);
      const { status } = answer;
      if ((status === 429 || status === 503) && answer.origin === origin) {
        const kind = status === 429 ? 'throttled' : 'failing';
        backOff(repository, kind, `answered ${status}`, retryAfterMsOf(answer, clock.now()));
      }
      return answer;
    } catch (error) {
      if (error instanceof UpstreamError && (error.kind === 'throttled' || error.kind === 'failing')) {
        backOff(repository, error.kind, error.message, error.retryAfterMs);
      }
      throw error;
    }
  };
}
