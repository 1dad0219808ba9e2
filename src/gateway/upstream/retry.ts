import { setTimeout as sleep } from 'node:timers/promises';

import { limits } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/**
 * Sends a request once more, after a short pause, when its connection failed before there was an answer: every request
 * only reads. Timeouts are not tried again, since the client has waited enough by then.
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
