import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser sent the request for a page of another site (Fetch Metadata, `Sec-Fetch-Site`). Pages cannot set
 * this header, and container clients do not send it.
 */
export function isFromOtherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && /cross-site/i.test(String(site));
}

/**
 * The same for `/v2` requests, which are GET and HEAD: with these, a browser sends `Origin` only for a page of another
 * origin. This also covers browsers without `Sec-Fetch-Site`. Container clients do not send `Origin`.
 */
export function isFromOtherPage(headers: IncomingHttpHeaders): boolean {
  if (isFromOtherSite(headers)) return true;
  const { origin, host } = headers;
  return origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase();
}

export const otherSiteMessage = 'requests from pages of other sites are refused (Sec-Fetch-Site, Origin)';
