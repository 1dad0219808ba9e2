import { limits, Lru, type Clock } from '../../base/index.ts';
import { OriginAuth, type BasicCredentials } from './origin-auth.ts';
import type { Send } from './send.ts';

export interface AuthOptions {
  /** The upstream's own URL. */
  readonly origin: URL;
  readonly credentials: BasicCredentials | undefined;
  /** Origins of token endpoints on other domains that may receive the credentials. */
  readonly realms: readonly string[];
  /** Sends token requests: follows redirects and adds no credentials. */
  readonly sendForTokens: Send;
  readonly clock: Clock;
}

/**
 * Layer that authenticates each request at its target. The upstream gets the configured credentials. Once a redirect
 * has left the upstream's origin, the request carries no configured credentials: challenges are answered anonymously.
 */
export function withAuth(next: Send, { origin, credentials, realms, sendForTokens, clock }: AuthOptions): Send {
  const shared = { send: next, sendForTokens, clock };
  const upstream = new OriginAuth({ ...shared, root: origin, credentials, realms });
  const others = new Lru<OriginAuth>(limits.upstreamRegistriesMax);

  return async (request) => {
    if (request.isRedirected !== true) return upstream.send(request);
    const key = request.url.origin;
    const known = others.get(key);
    if (known !== undefined) return known.send(request);
    const other = new OriginAuth({ ...shared, root: new URL('/', request.url), credentials: undefined, realms: [] });
    const answer = await other.send(request);
    // Most redirects lead to plain storage, which has no challenge to remember.
    if (other.asksForTokens) others.set(key, other);
    return answer;
  };
}
