import { limits, Lru, type Clock } from '../../base/index.ts';
import { retryAfterMsOf, UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/** What an upstream asked for when it last wanted to be left alone about a repository. */
interface Rest {
  readonly kind: 'throttled' | 'failing';
  readonly message: string;
  readonly untilMs: number;
}

/**
 * Obeys `Retry-After` of a 429 or 503, of the upstream's token endpoint too: until then the upstream is not asked again
 * about the same repository, and such requests fail at once. So a throttled upstream answers sooner again, and what is
 * cached is served without waiting for the next refusal. Other repositories may have limits of their own, and find out by
 * themselves. What a host that it redirected to asks for is that host's matter.
 */
export function withBackOff(next: Send, origin: string, clock: Clock): Send {
  const rests = new Lru<Rest>(limits.upstreamRepositoriesMax);

  function leaveAlone(repository: string, kind: Rest['kind'], message: string, waitMs: number | undefined): void {
    if (waitMs === undefined) return;
    rests.set(repository, { kind, message: `${message} and asked to wait`, untilMs: clock.monotonic() + waitMs });
  }

  return async (request) => {
    const { repository } = request;
    const rest = rests.get(repository);
    const leftMs = rest === undefined ? 0 : rest.untilMs - clock.monotonic();
    if (rest !== undefined && leftMs > 0) throw new UpstreamError(rest.kind, rest.message, { retryAfterMs: leftMs });
    try {
      const answer = await next(request);
      const { status } = answer;
      if ((status === 429 || status === 503) && answer.origin === origin) {
        const kind = status === 429 ? 'throttled' : 'failing';
        leaveAlone(repository, kind, `answered ${status}`, retryAfterMsOf(answer, clock.now()));
      }
      return answer;
    } catch (error) {
      if (error instanceof UpstreamError && (error.kind === 'throttled' || error.kind === 'failing')) {
        leaveAlone(repository, error.kind, error.message, error.retryAfterMs);
      }
      throw error;
    }
  };
}
