import { getDomain } from 'tldts';

/** The registrable domain according to the public suffix list; null for addresses and bare suffixes. */
function registrableDomain(host: string): string | null {
  return getDomain(host, { allowPrivateDomains: true });
}

/**
 * Whether a token endpoint may receive the credentials of the registry at `origin`: it has the same origin, the same
 * registrable domain, or one of the `stated` origins.
 */
export function mayHaveCredentials(realm: URL, origin: URL, stated: readonly string[]): boolean {
  // Never send credentials for https over plain http.
  if (origin.protocol === 'https:' && realm.protocol !== 'https:') return false;
  if (realm.origin === origin.origin || stated.includes(realm.origin)) return true;
  const domain = registrableDomain(origin.hostname);
  return domain !== null && domain === registrableDomain(realm.hostname);
}
