import { isIPv6 } from 'node:net';
import { canonicalOrganisation, organisationOfEmail, parsePasswordHash as readPasswordHash } from '../base/index.ts';
import { parseHost, parsePort } from './address.ts';

/** How an upstream's name is written, for messages and descriptions. */
export const upstreamNameForm =
  'the name of an upstream (a host such as "ghcr.io" or "localhost:5001", or a word such as "lab"; in lower case; not "wt", "token" or "_catalog")';

/** First path segments of `/v2/` that are routes of the gateway's own. */
const reservedNames: ReadonlySet<string> = new Set(['wt', 'token', '_catalog']);
/** A path component of the OCI distribution spec 1.1 ("Pulling manifests"), with a port where it is a host. */
const upstreamNamePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?::[0-9]{1,5})?$/;

/** The name itself when it can be an upstream's (`upstreamNameForm`), else `undefined`. */
export function parseUpstreamName(text: string): string | undefined {
  const valid = text.length <= 255 && upstreamNamePattern.test(text) && !reservedNames.has(text);
  return valid ? text : undefined;
}

/** Whether a name says itself where its upstream is, as in image references: it has a dot or colon, or is `localhost`. */
export function isHostLike(name: string): boolean {
  return name.includes('.') || name.includes(':') || name === 'localhost';
}

/** How an upstream's URL is written, for messages and descriptions. */
export const upstreamUrlForm = 'a URL such as "https://HOST" or "http://HOST:PORT", without user and query';

/** An upstream's URL (`upstreamUrlForm`; a path is taken) without a slash at the end, else `undefined`. */
export function parseUpstreamUrl(text: string): string | undefined {
  // The parser forgives much (`http:host`, back slashes, blanks around), hence the pattern before it.
  const url = /^https?:\/\/[^\s\\@?#"]+$/i.test(text) ? URL.parse(text) : null;
  return url === null ? undefined : (url.origin + url.pathname).replace(/\/+$/, '');
}

/** How a host that an upstream may lead to is written, for messages and descriptions. */
export const redirectHostForm = 'a host, with a port where needed, such as "storage.internal" or "10.1.2.3:9000"';

/** The host in lower case as URLs have it, with the port if one is stated (`redirectHostForm`), else `undefined`. */
export function parseRedirectHost(text: string): string | undefined {
  const [, hostText = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? ['', text];
  const host = parseHost(hostText);
  const port = portText === undefined ? undefined : parsePort(portText);
  if (host === undefined || (portText !== undefined && (port === undefined || port === 0))) return undefined;
  const url = URL.parse(isIPv6(host) ? `http://[${host}]/` : `http://${host}/`);
  return url === null ? undefined : url.hostname + (port === undefined ? '' : `:${port}`);
}

/** How the URL of a token endpoint is written, for messages and descriptions. */
export const realmForm = 'a URL such as "https://auth.example.org/token", without user and query';

/** How the URL of an egress proxy is written, for messages and descriptions. */
export const proxyUrlForm = 'a URL such as "http://HOST:PORT" or "http://USER:PASSWORD@HOST:PORT", without a path';

/** The URL of an egress proxy (`proxyUrlForm`), spoken to by HTTP or HTTPS, else `undefined`. */
export function parseProxyUrl(text: string): string | undefined {
  const url = /^https?:\/\/[^\s\\?#"]+$/i.test(text) ? URL.parse(text) : null;
  const isProxy = url !== null && url.pathname === '/' && [url.username, url.password].every(isDecodable);
  return isProxy ? url.href : undefined;
}

/** Whether what a URL says of a user or password can be decoded. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** How the server's own public URL is written, for messages and descriptions. */
export const publicUrlForm = 'a URL without a path, such as "https://pull.example.org"';

/** Scheme, host and port of the public URL (`publicUrlForm`), else `undefined`: clients know `/v2/` at the root only. */
export function parsePublicUrl(text: string): string | undefined {
  const url = parseUpstreamUrl(text);
  return url !== undefined && new URL(url).origin === url ? url : undefined;
}

/** How a user's name is written, for messages and descriptions. */
export const userNameForm = 'a user name (1 to 128 characters, no colon, no blanks)';

/** The name itself when it can be sent with HTTP Basic (RFC 7617 section 2: no colon, no control characters). */
export function parseUserName(text: string): string | undefined {
  return /^[^:\s\p{Cc}\p{Bidi_Control}]{1,128}$/u.test(text) ? text : undefined;
}

/** How an organisation is written, for messages and descriptions. */
export const organisationForm = 'an organisation (written like a domain: letters, digits, "-" and ".")';

/** The organisation in lower case, else `undefined`. */
export const parseOrganisation = canonicalOrganisation;

/** How an e-mail address is written, for messages and descriptions. */
export const emailForm = 'an e-mail address such as "alice@example.org"';

/** The address itself if it has an organisation, else `undefined`. */
export function parseEmail(text: string): string | undefined {
  return organisationOfEmail(text) === undefined ? undefined : text;
}

/** How a password hash is written, for messages and descriptions. */
export const passwordHashForm =
  'a password hash as `tonnage user hash` prints it ("scrypt:..."), or "sha256:<64 hex digits>"';

/** The hash itself if logins can be checked against it, else `undefined`. */
export function parsePasswordHash(text: string): string | undefined {
  return readPasswordHash(text) === undefined ? undefined : text;
}

/** How a time zone is written, for messages and descriptions. */
export const timeZoneForm = 'an IANA time zone such as "UTC" or "Europe/Berlin"';

/**
 * The time zone as the runtime spells it, else `undefined`. An alias stays as it is written: which name of a zone is
 * the main one differs between releases, and the ledger keeps the name.
 */
export function parseTimeZone(text: string): string | undefined {
  if (!/^[A-Za-z]/.test(text)) return undefined;
  try {
    const resolved = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
    return resolved.toLowerCase() === text.toLowerCase() ? resolved : text;
  } catch {
    return undefined;
  }
}

/** How the key of hashes is written, for messages and descriptions. */
export const hashKeyForm = 'a text of at least 16 bytes, better random ones';

/** The key itself when it is long enough not to be guessed, else `undefined`. */
export function parseHashKey(text: string): string | undefined {
  return Buffer.byteLength(text) >= 16 ? text : undefined;
}
