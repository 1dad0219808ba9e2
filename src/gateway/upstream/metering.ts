import type { Dispatcher } from 'undici';

import type { Clock } from '../../base/index.ts';
import { headerOf, type Send, type UpstreamAnswer } from './send.ts';

/** Counts the traffic with an upstream. */
export interface UpstreamMeter {
  /** Bytes of a response body have arrived. */
  received(bytes: number): void;
  /** The headers of a response have arrived, `seconds` after the request. */
  responded(status: number, seconds: number): void;
  /** A request failed without a response. Not called if it was aborted because the client disconnected. */
  unanswered(): void;
  /** The upstream stated how many more requests its rate limit permits. */
  remaining(requests: number): void;
}

/**
 * Parses the remaining requests of a rate limit: `RateLimit-Remaining` (`76`, or `76;w=21600` from Docker Hub), its older
 * name with `X-`, or the `RateLimit` field of later drafts (`remaining=76` or `r=76`). Undefined if none is stated.
 */
export function rateLimitRemaining(answer: Pick<UpstreamAnswer, 'headers'>): number | undefined {
  const own = headerOf(answer, 'ratelimit-remaining') ?? headerOf(answer, 'x-ratelimit-remaining');
  const text = own ?? /(?:^|[;,\s])(?:remaining|r)=(\d+)/.exec(headerOf(answer, 'ratelimit') ?? '')?.[1];
  const digits = /^\s*(\d{1,15})\s*(?:[;,]|$)/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Layer that meters each request, including redirects and token requests. Only the upstream's own rate limit counts,
 * not that of a redirect target.
 */
export function withMeter(next: Send, meter: UpstreamMeter, options: { origin: string; clock: Clock }): Send {
  const { origin, clock } = options;
  return async (request) => {
    const startedMs = clock.monotonic();
    try {
      const answer = await next(request);
      meter.responded(answer.status, (clock.monotonic() - startedMs) / 1_000);
      const remaining = answer.origin === origin ? rateLimitRemaining(answer) : undefined;
      if (remaining !== undefined) meter.remaining(remaining);
      return answer;
    } catch (error) {
      if (request.signal?.aborted !== true || isTimeout(request.signal.reason)) meter.unanswered();
      throw error;
    }
  };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

/** Wraps a dispatcher to meter each chunk of a body as it arrives, even if the body is never read. */
export function countingBytes(dispatcher: Dispatcher, meter: Pick<UpstreamMeter, 'received'>): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, countedHandler(handler, meter)));
}

function countedHandler(
  handler: Dispatcher.DispatchHandler,
  meter: Pick<UpstreamMeter, 'received'>,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart: (...head) => handler.onResponseStart?.(...head),
    onResponseData: (controller, chunk) => {
      meter.received(chunk.byteLength);
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd: (...trailers) => handler.onResponseEnd?.(...trailers),
    onResponseError: (...failure) => handler.onResponseError?.(...failure),
  };
}
