import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser sends the request on behalf of a page of another site (Fetch Metadata, `Sec-Fetch-Site`). Pages cannot
 * set that header themselves, and clients of registries do not send it.
 */
export function isFromOtherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && /cross-site/i.test(String(site));
}

/**
 * The same for requests below `/v2`, which are GET and HEAD: with these, browsers send `Origin` only on behalf of a page of
 * another origin. That also covers browsers that send no `Sec-Fetch-Site`. Clients of registries do not send `Origin`.
 */
export function isFromOtherPage(headers: IncomingHttpHeaders): boolean {
  if (isFromOtherSite(headers)) return true;
  const { origin, host } = headers;
  return origin !== undefined && URL.parse(origin)?.host !== host?.toLowerCase();
}

/** Why such a request is refused. */
export const otherSiteRefusal =
  'expected no request of a page of another site (Sec-Fetch-Site, Origin), but this is one';
