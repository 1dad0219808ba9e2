import { limits } from '../../base/index.ts';
import { UpstreamError } from './failure.ts';
import { discard, headerOf, type Send, type UpstreamRequest } from './send.ts';

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function targetOf(location: string | undefined, from: URL): URL {
  const target = location === undefined ? null : URL.parse(location, from.href);
  if (target === null || (target.protocol !== 'https:' && target.protocol !== 'http:')) {
    throw new UpstreamError('invalid', 'redirected to something other than an http or https URL');
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new UpstreamError('invalid', 'redirected from https to http');
  }
  return target;
}

/** Drops the credentials if the origin changes (RFC 9110, section 15.4). */
function redirected(request: UpstreamRequest, url: URL): UpstreamRequest {
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _dropped, ...headers } = request.headers;
  return { ...request, url, headers, isRedirected: true };
}

/**
 * Layer that follows redirects, which upstreams use to serve blobs from elsewhere: at most
 * `limits.upstreamRedirectsMax`, never from https to http, and without credentials once the origin has changed.
 */
export function withRedirects(next: Send): Send {
  return async (first) => {
    let request = first;
    for (let followed = 0; ; followed++) {
      const answer = await next(request);
      if (!redirectStatuses.has(answer.status)) return answer;
      await discard(answer);
      if (followed === limits.upstreamRedirectsMax) throw new UpstreamError('invalid', 'redirected too often');
      request = redirected(request, targetOf(headerOf(answer, 'location'), request.url));
    }
  };
}
