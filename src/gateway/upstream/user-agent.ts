import type { Send } from './send.ts';

/** Layer that adds the `User-Agent` header. */
export function withUserAgent(next: Send, userAgent: string): Send {
  return (request) => next({ ...request, headers: { ...request.headers, 'user-agent': userAgent } });
}
