import { isIPv6 } from 'node:net';
import { organisationOfEmail, parsePasswordHash as readPasswordHash } from '../base/index.ts';
import { parseHost, parsePort } from './address.ts';

/** The name of an upstream, as errors and docs describe it. */
export const upstreamNameForm =
  'the name of an upstream (a host such as "ghcr.io" or "localhost:5001", or a word such as "lab"; in lower case; not "wt", "token" or "_catalog")';

/** First path segments after `/v2/` that are routes of the gateway itself. */
const reservedNames: ReadonlySet<string> = new Set(['wt', 'token', '_catalog']);
/** A path component of the OCI distribution spec 1.1 ("Pulling manifests"). A host may have a port. */
const upstreamNamePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?::[0-9]{1,5})?$/;

/** The name itself if an upstream can have it (`upstreamNameForm`), otherwise `undefined`. */
export function parseUpstreamName(text: string): string | undefined {
  const valid = text.length <= 255 && upstreamNamePattern.test(text) && !reservedNames.has(text);
  return valid ? text : undefined;
}

/** Whether an image reference takes the name for a host: it has a dot or a colon, or is `localhost`. */
export function isHostLike(name: string): boolean {
  return name.includes('.') || name.includes(':') || name === 'localhost';
}

/** The URL of an upstream, as errors and docs describe it. */
export const upstreamUrlForm = 'a URL such as "https://HOST" or "http://HOST:PORT", without user and query';

/** The URL of an upstream (`upstreamUrlForm`, with or without a path) without a final slash, otherwise `undefined`. */
export function parseUpstreamUrl(text: string): string | undefined {
  // The parser accepts more, such as `http:host`, backslashes and blanks around the URL.
  const url = /^https?:\/\/[^\s\\@?#"]+$/i.test(text) ? URL.parse(text) : null;
  return url === null ? undefined : (url.origin + url.pathname).replace(/\/+$/, '');
}

/** A host that an upstream may redirect to, as errors and docs describe it. */
export const redirectHostForm = 'a host, optionally with a port, such as "storage.internal" or "10.1.2.3:9000"';

/** The host as URLs have it, in lower case and with the stated port (`redirectHostForm`), otherwise `undefined`. */
export function parseRedirectHost(text: string): string | undefined {
  const [, hostText = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? ['', text];
  const host = parseHost(hostText);
  const port = portText === undefined ? undefined : parsePort(portText);
  if (host === undefined || (portText !== undefined && (port === undefined || port === 0))) return undefined;
  const url = URL.parse(isIPv6(host) ? `http://[${host}]/` : `http://${host}/`);
  return url === null ? undefined : url.hostname + (port === undefined ? '' : `:${port}`);
}

/** The URL of a token endpoint, as errors and docs describe it. */
export const realmForm = 'a URL such as "https://auth.example.org/token", without user and query';

/** The URL of an egress proxy, as errors and docs describe it. */
export const proxyUrlForm = 'a URL such as "http://HOST:PORT" or "http://USER:PASSWORD@HOST:PORT", without a path';

/** The URL of an egress proxy (`proxyUrlForm`), with http or https, otherwise `undefined`. */
export function parseProxyUrl(text: string): string | undefined {
  const url = /^https?:\/\/[^\s\\?#"]+$/i.test(text) ? URL.parse(text) : null;
  const isProxy = url !== null && url.pathname === '/' && [url.username, url.password].every(isDecodable);
  return isProxy ? url.href : undefined;
}

/** Whether the user name or password of a URL can be decoded. */
export function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The public URL of this server, as errors and docs describe it. */
export const publicUrlForm = 'a URL without a path, such as "https://pull.example.org"';

/** Scheme, host and port of the public URL (`publicUrlForm`), else `undefined`. Clients expect `/v2/` at the root. */
export function parsePublicUrl(text: string): string | undefined {
  const url = parseUpstreamUrl(text);
  return url !== undefined && new URL(url).origin === url ? url : undefined;
}

/** The name of a user, as errors and docs describe it. */
export const userNameForm = 'a user name (1 to 128 characters, no colon, no white space)';

/** The name if HTTP Basic can send it (RFC 7617 section 2: no colon, no control characters), else `undefined`. */
export function parseUserName(text: string): string | undefined {
  return /^[^:\s\p{Cc}\p{Bidi_Control}]{1,128}$/u.test(text) ? text : undefined;
}

/** An organisation, as errors and docs describe it. */
export const organisationForm = 'an organisation (written like a domain: letters, digits, "-" and ".")';

/** An e-mail address, as errors and docs describe it. */
export const emailForm = 'an e-mail address such as "alice@example.org"';

/** The address itself if it has an organisation, otherwise `undefined`. */
export function parseEmail(text: string): string | undefined {
  return organisationOfEmail(text) === undefined ? undefined : text;
}

/** A password hash, as errors and docs describe it. */
export const passwordHashForm =
  'a password hash as `tonnage user hash` prints it ("scrypt:..."), or "sha256:<64 hex digits>"';

/** The hash itself if logins can be checked against it, otherwise `undefined`. */
export function parsePasswordHash(text: string): string | undefined {
  return readPasswordHash(text) === undefined ? undefined : text;
}

/** A time zone, as errors and docs describe it. */
export const timeZoneForm = 'an IANA time zone such as "UTC" or "Europe/Berlin"';

/**
 * The time zone as the runtime spells it, otherwise `undefined`. An alias stays as stated: the ledger keeps the name,
 * and releases differ in which name of a zone is the main one.
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

/** The key for hashing, as errors and docs describe it. */
export const hashKeyForm = 'a text of at least 16 bytes, preferably random';

/** The key itself if it is long enough, otherwise `undefined`. */
export function parseHashKey(text: string): string | undefined {
  return Buffer.byteLength(text) >= 16 ? text : undefined;
}
