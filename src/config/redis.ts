import { isIP } from 'node:net';
import { parseHost, parsePort, type ServerAddress } from './address.ts';
import { isDecodable } from './names.ts';

/** The URL of a Redis, as errors and docs describe it. */
export const redisUrlForm =
  'a URL such as "redis://HOST:PORT/DATABASE", "rediss://USER:PASSWORD@HOST:PORT" or "unix:///PATH/TO/SOCKET", without query';

/** The parts of a URL that other keys depend on. */
export interface RedisUrlParts {
  readonly scheme: 'redis' | 'rediss' | 'unix';
  readonly hasUser: boolean;
  readonly hasPassword: boolean;
}

/** The parts of the URL of a Redis (`redisUrlForm`), by the same grammar as in `redis-link/`; `undefined` if it is not one. */
export function redisUrlParts(text: string): RedisUrlParts | undefined {
  // The parser accepts more, such as blanks around the URL, and tabs and line ends in it.
  const scheme = /^(redis|rediss|unix):\/\/[^\s\\?#]+$/.exec(text)?.[1];
  const url = scheme === undefined ? null : URL.parse(text);
  if (url === null || ![url.username, url.password, url.pathname].every(isDecodable)) return undefined;
  const hasUser = url.username !== '';
  const hasPassword = url.password !== '';
  if (scheme === 'unix') {
    const isSocket = url.host === '' && !hasUser && !hasPassword && url.pathname.length > 1;
    return isSocket ? { scheme, hasUser, hasPassword } : undefined;
  }
  const isServer = url.hostname !== '' && url.port !== '0' && /^\/?\d{0,9}$/.test(url.pathname);
  if (!isServer || (scheme !== 'redis' && scheme !== 'rediss')) return undefined;
  return { scheme, hasUser, hasPassword };
}

/** The URL itself if it is the URL of a Redis, otherwise `undefined`. */
export function parseRedisUrl(text: string): string | undefined {
  return redisUrlParts(text) === undefined ? undefined : text;
}

/** The address of a server, as errors and docs describe it. */
export const serverForm = 'HOST:PORT or [IPV6]:PORT (from 1 to 65535)';

/** The host and port of a server (`serverForm`); `undefined` if the text is not one. */
export function parseServer(text: string): ServerAddress | undefined {
  const [, hostText = '', portText = ''] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  const host = parseHost(hostText);
  const port = parsePort(portText);
  return host === undefined || port === undefined || port === 0 ? undefined : { host, port };
}

/** The name that a certificate must have, as errors and docs describe it. */
export const serverNameForm = 'the name of a host such as "redis.example.org", not an address';

/** The name in lower case, otherwise `undefined`. In TLS an address is not a server name (RFC 6066 section 3). */
export function parseServerName(text: string): string | undefined {
  const host = parseHost(text);
  return host === undefined || isIP(host) > 0 ? undefined : host;
}
