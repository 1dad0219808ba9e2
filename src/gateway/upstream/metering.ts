import type { Dispatcher } from 'undici';

import type { Clock } from '../../base/index.ts';
import { headerOf, type Send, type UpstreamAnswer } from './send.ts';

/** Told what passes between an upstream and us. */
export interface UpstreamMeter {
  /** Bytes of an answer's body have come in. */
  received(bytes: number): void;
  /** The headers of an answer are there, so many seconds after the request. */
  responded(status: number, seconds: number): void;
  /** A request has failed without an answer. Those that were given up for want of a client are not told. */
  unanswered(): void;
  /** The upstream said how many more requests it lets us make. */
  remaining(requests: number): void;
}

/**
 * Reads how many requests a rate limit leaves: `RateLimit-Remaining` (`76`, or `76;w=21600` as Docker Hub writes it), its
 * older name with `X-`, or the `RateLimit` field of the later drafts (`remaining=76` or `r=76`). Undefined: not said.
 */
export function rateLimitRemaining(answer: Pick<UpstreamAnswer, 'headers'>): number | undefined {
  const own = headerOf(answer, 'ratelimit-remaining') ?? headerOf(answer, 'x-ratelimit-remaining');
  const text = own ?? /(?:^|[;,\s])(?:remaining|r)=(\d+)/.exec(headerOf(answer, 'ratelimit') ?? '')?.[1];
  const digits = /^\s*(\d{1,15})\s*(?:[;,]|$)/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Tells the meter of each exchange, redirects and token requests included. What a host says of a rate limit counts only
 * where that host is the upstream itself.
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

/** A dispatcher that tells the meter of each piece of a body as it comes in, however little of it is read in the end. */
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
