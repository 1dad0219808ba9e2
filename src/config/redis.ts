import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { parseHost, parsePort, type ServerAddress } from './address.ts';
import { isDecodable } from './names.ts';

/** How the URL of a Redis is written, for messages and descriptions. */
export const redisUrlForm =
  'a URL such as "redis://HOST:PORT/DATABASE", "rediss://USER:PASSWORD@HOST:PORT" or "unix:///PATH/TO/SOCKET", without query';

/** What the checks of other keys need to know of a URL. */
export interface RedisUrlParts {
  readonly scheme: 'redis' | 'rediss' | 'unix';
  readonly hasUser: boolean;
  readonly hasPassword: boolean;
}

/** The parts of a URL as `redisUrlForm` says, by the same grammar as the store's link has; `undefined` when it is none. */
export function redisUrlParts(text: string): RedisUrlParts | undefined {
  // The parser forgives much (blanks around, tabs and line ends inside), hence the pattern before it.
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

/** The URL itself when a Redis can be reached by it, else `undefined`. */
export function parseRedisUrl(text: string): string | undefined {
  return redisUrlParts(text) === undefined ? undefined : text;
}

/** How the address of a server is written, for messages and descriptions. */
export const serverForm = 'HOST:PORT or [IPV6]:PORT (from 1 to 65535)';

/** Host and port of a server to dial; `undefined` when it is none. */
export function parseServer(text: string): ServerAddress | undefined {
  const [, hostText = '', portText = ''] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text) ?? [];
  const host = parseHost(hostText);
  const port = parsePort(portText);
  return host === undefined || port === undefined || port === 0 ? undefined : { host, port };
}

/** How the name that a certificate must have is written, for messages and descriptions. */
export const serverNameForm = 'the name of a host such as "redis.example.org", no address';

/** The name in lower case; TLS sends no address as a server's name (RFC 6066 section 3). */
export function parseServerName(text: string): string | undefined {
  const host = parseHost(text);
  return host === undefined || isIP(host) > 0 ? undefined : host;
}

/** How certificates are written, for messages and descriptions. */
export const certificatesForm = 'one or more certificates in PEM ("-----BEGIN CERTIFICATE-----")';

/** The text itself when there are certificates in it and each can be read, else `undefined`. */
export function parseCertificates(text: string): string | undefined {
  return certificatesOf(text).length > 0 ? text : undefined;
}

/** How a private key is written, for messages and descriptions. */
export const privateKeyForm = 'a private key in PEM ("-----BEGIN PRIVATE KEY-----"), not encrypted';

/** The text itself when it is a private key that can be used as it is, else `undefined`. */
export function parsePrivateKey(text: string): string | undefined {
  try {
    createPrivateKey(text);
    return text;
  } catch {
    return undefined;
  }
}

/** Whether a private key is that of the first certificate, which is the client's own. Both texts are valid. */
export function isKeyOf(key: string, certificates: string): boolean {
  return certificatesOf(certificates)[0]?.checkPrivateKey(createPrivateKey(key)) === true;
}

/** All certificates of a text; none when one of them cannot be read. */
function certificatesOf(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
