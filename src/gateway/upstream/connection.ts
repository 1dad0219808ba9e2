import { Agent, request as undiciRequest, type Dispatcher } from 'undici';

import { limits, messageOf } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';
import type { Send } from './send.ts';

/** Failures after which the same request may well succeed at once: most often a kept connection that had gone stale. */
const retryableCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]);

/** The connections to all upstreams, with a deadline for everything that can hang. */
export function createAgent(): Agent {
  return new Agent({
    connect: { timeout: limits.upstreamConnectMsMax },
    headersTimeout: limits.upstreamHeadersMsMax,
    bodyTimeout: limits.upstreamSilenceMsMax,
    connections: limits.upstreamConnectionsMax,
    // One download must not share a connection's flow control with others: layers are large, and their readers slow.
    allowH2: false,
    pipelining: 1,
  });
}

function codeOf(thrown: unknown): string {
  // A deadline of our own or a client that left; these have names, and numbers where others have codes.
  if (thrown instanceof DOMException) return thrown.name;
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return 'unknown error';
}

/** What a thrown error of the connection means; also for bodies, which break in the same ways. */
export function connectionFailure(thrown: unknown): UpstreamError {
  if (thrown instanceof UpstreamError) return thrown;
  const code = codeOf(thrown);
  return new UpstreamError('unreachable', `could not be reached (${code})`, {
    cause: new Error(messageOf(thrown)),
    // A parser's error on a kept connection is what came late after an earlier answer; a new connection has none.
    retryable: retryableCodes.has(code) || code.startsWith('HPE_'),
  });
}

/** The innermost layer: one request over a kept connection. Redirects and refusals are answers like others. */
export function createSend(dispatcher: Dispatcher): Send {
  return async ({ method, url, headers, signal }) => {
    try {
      // `reset: false` keeps the connection after a HEAD too: tags are revalidated by nothing else.
      const options = { dispatcher, method, headers, signal: signal ?? null, reset: false };
      const answer = await undiciRequest(url, options);
      return { status: answer.statusCode, headers: answer.headers, origin: url.origin, body: answer.body };
    } catch (thrown) {
      throw connectionFailure(thrown);
    }
  };
}
