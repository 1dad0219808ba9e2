import type { Log } from '../base/index.ts';
import { formatListen, type Config } from '../config/index.ts';
import { isLoopbackAddress } from '../identity/index.ts';
import { isLoopbackListener } from './loopback-listener.ts';

/** Warns the operator about access without credentials, and about unencrypted requests for credentials. */
export function warnOfExposure(config: Config, log: Log): void {
  const { listen, gateway, users, identity } = config;
  warnOfPlainHttp(config, log);
  warnOfPlainScrapes(config, log);
  if (isLoopbackListener(listen)) return;
  const address = formatListen(listen);
  if (gateway.anonymous !== false) {
    log.warn(
      { address },
      'clients may pull without credentials on this address: set gateway.anonymous to false to require credentials',
    );
  }
  if (users.length === 0 && identity.platform === undefined && identity.oidc.length === 0) {
    log.warn(
      { address },
      'no users are configured, so reading usage on this address needs an API token: add a user under users, with a hash from tonnage user hash',
    );
  }
}

/** An eavesdropper can read the credentials of scrapers. */
function warnOfPlainScrapes({ metrics }: Config, log: Log): void {
  if (metrics === false || metrics.access === 'public' || metrics.tls !== undefined) return;
  if (isLoopbackListener(metrics.listen)) return;
  log.warn(
    { address: formatListen(metrics.listen) },
    'scrapers send their credentials to this address in plain http: set metrics.tls, or put a proxy with TLS in front',
  );
}

/** An eavesdropper can read the tokens that go to a Platform, and an attacker can replace the keys of an issuer. */
function warnOfPlainHttp({ identity: { platform, oidc } }: Config, log: Log): void {
  const keys = oidc.map(({ issuer, jwksUrl }) => ({ key: 'identity.oidc', url: jwksUrl ?? issuer }));
  const stated = [...(platform ? [{ key: 'identity.platform.endpoint', url: platform.endpoint }] : []), ...keys];
  for (const { key, url } of stated) {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'http:' || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''))) continue;
    log.warn({ key, host: hostname }, 'tokens are verified over plain http: use https');
  }
}
