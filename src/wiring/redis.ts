import type { Clock, Log } from '../base/index.ts';
import { redisServersOf, type RedisStoreConfig } from '../config/index.ts';
import type { RedisLinkOptions, RedisTls } from '../redis-link/index.ts';

/** The options of a connection to Redis. No other place reveals its secrets. */
export function redisLinkOptions(
  store: RedisStoreConfig,
  parts: { readonly clock: Clock; readonly log: Log },
): RedisLinkOptions {
  const { username, password, tls } = store;
  const servers = redisServersOf(store);
  const common = {
    ...(username !== undefined && { username }),
    ...(password && { password: password.reveal() }),
    ...(tls && { tls: revealed(tls) }),
    ...parts,
  };
  if (servers.mode === 'standalone') return { mode: 'standalone', url: servers.url.reveal(), ...common };
  if (servers.mode === 'cluster') return { ...servers, ...common };
  return {
    mode: 'sentinel',
    name: servers.name,
    sentinels: servers.addresses,
    ...(servers.username !== undefined && { sentinelUsername: servers.username }),
    ...(servers.password && { sentinelPassword: servers.password.reveal() }),
    ...common,
  };
}

function revealed({ ca, cert, key, servername }: NonNullable<RedisStoreConfig['tls']>): RedisTls {
  return {
    ...(ca && { ca: ca.reveal() }),
    ...(cert && { cert: cert.reveal() }),
    ...(key && { key: key.reveal() }),
    ...(servername !== undefined && { servername }),
  };
}
