import { isIPv6 } from 'node:net';
import type { Log } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { isLoopbackAddress } from '../identity/index.ts';

/** Logs what an operator should know about who gets in, and about what goes out in the clear. */
export function warnOfOpenDoors(config: Config, log: Log): void {
  const {
    listen: { host, port },
    gateway,
    users,
    identity,
  } = config;
  warnOfPlainHttp(config, log);
  if (isLoopbackAddress(host)) return;
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (gateway.anonymous !== false) {
    log.warn(
      { address },
      'anybody who reaches this address may pull through it: set gateway.anonymous to false to ask for credentials',
    );
  }
  if (users.length === 0 && identity.platform === undefined && identity.oidc.length === 0) {
    log.warn(
      { address },
      'no users are configured, so that nobody can read usage here without an API token: add one under users, with a hash from tonnage user hash',
    );
  }
}

/** Whoever listens on the way gets the tokens of a Platform, or can put their own keys in place of an issuer's. */
function warnOfPlainHttp({ identity: { platform, oidc } }: Config, log: Log): void {
  const keys = oidc.map(({ issuer, jwksUrl }) => ({ key: 'identity.oidc', url: jwksUrl ?? issuer }));
  const stated = [...(platform ? [{ key: 'identity.platform.endpoint', url: platform.endpoint }] : []), ...keys];
  for (const { key, url } of stated) {
    const { protocol, hostname } = new URL(url);
    if (protocol !== 'http:' || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''))) continue;
    log.warn({ key, host: hostname }, 'who says whose tokens these are is asked over plain http: use https');
  }
}
