import { setTimeout as sleep } from 'node:timers/promises';

import { limits } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/**
 * Layer that retries a request once, after a short pause, if its connection failed before the response. That is safe,
 * because every request only reads. Timeouts are not retried: the client has waited long enough.
 */
export function withRetry(next: Send): Send {
  return async (request) => {
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof UpstreamError) || !error.retryable || request.signal?.aborted === true) throw error;
    }
    await sleep(limits.upstreamRetryMs);
    return next(request);
  };
}
