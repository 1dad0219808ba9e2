import type { Send } from './send.ts';

/** Says who is asking, to upstreams, token endpoints and redirect targets alike. */
export function withUserAgent(next: Send, userAgent: string): Send {
  return (request) => next({ ...request, headers: { ...request.headers, 'user-agent': userAgent } });
}
