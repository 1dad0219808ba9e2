import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a browser sends the request on behalf of a page of another site (Fetch Metadata, `Sec-Fetch-Site`). Pages cannot
 * set that header themselves, and clients of registries do not send it.
 */
export function isFromOtherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && /cross-site/i.test(String(site));
}

/** Why such a request is refused. */
export const otherSiteRefusal = 'expected no request of a page of another site, but Sec-Fetch-Site says cross-site';
