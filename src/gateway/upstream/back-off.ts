import type { Clock } from '../../base/index.ts';
import { retryAfterMsOf, UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/** What an upstream asked for when it last wanted to be left alone. */
interface Rest {
  readonly kind: 'throttled' | 'failing';
  readonly status: number;
  readonly untilMs: number;
}

/**
 * Obeys `Retry-After` of a 429 or 503: until then the upstream is not asked again, and requests fail at once. So a
 * throttled upstream answers sooner again, and what is cached is served without waiting for the next refusal.
 */
export function withBackOff(next: Send, clock: Clock): Send {
  let rest: Rest | undefined;
  return async (request) => {
    const leftMs = rest === undefined ? 0 : rest.untilMs - clock.monotonic();
    if (rest !== undefined && leftMs > 0) {
      throw new UpstreamError(rest.kind, `answered ${rest.status} and asked to wait`, { retryAfterMs: leftMs });
    }
    const answer = await next(request);
    if (answer.status === 429 || answer.status === 503) {
      const waitMs = retryAfterMsOf(answer, clock.now());
      const kind = answer.status === 429 ? 'throttled' : 'failing';
      if (waitMs !== undefined) rest = { kind, status: answer.status, untilMs: clock.monotonic() + waitMs };
    }
    return answer;
  };
}
