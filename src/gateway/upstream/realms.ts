import { getDomain } from 'tldts';

/** The registrable domain by the public suffix list; null for addresses and bare suffixes. */
function registrableDomain(host: string): string | null {
  return getDomain(host, { allowPrivateDomains: true });
}

/**
 * Whether a token endpoint may see the credentials of the registry at `origin`: it is there too, or on the same
 * registrable domain, or at one of the `stated` origins.
 */
export function mayHaveCredentials(realm: URL, origin: URL, stated: readonly string[]): boolean {
  // Credentials for https never go over plain http.
  if (origin.protocol === 'https:' && realm.protocol !== 'https:') return false;
  if (realm.origin === origin.origin || stated.includes(realm.origin)) return true;
  const domain = registrableDomain(origin.hostname);
  return domain !== null && domain === registrableDomain(realm.hostname);
}
