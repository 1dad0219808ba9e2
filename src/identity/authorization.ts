/** The credentials of a client. */
export type Credential =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

const base64Pattern = /^[A-Za-z0-9+/]+={0,2}$/;
/** The form of a Bearer token (RFC 6750 section 2.1). */
export const bearerPattern = /^[A-Za-z0-9._~+/-]+=*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses an `Authorization` header: Basic (RFC 7617, in UTF-8; the password may contain colons) or Bearer (RFC 6750). `none`: an empty
 * user with an empty password, which some clients send without credentials. `malformed`: anything else; it must not count as `none`.
 *
 * Our own: `basic-auth` decodes invalid Base64 and UTF-8 into other credentials instead of rejecting them.
 */
export function parseAuthorization(header: string): Credential | 'none' | 'malformed' {
  const match = /^([A-Za-z]+) +(\S+) *$/.exec(header);
  if (match?.[1] === undefined || match[2] === undefined) return 'malformed';
  switch (match[1].toLowerCase()) {
    case 'basic':
      return parseBasic(match[2]);
    case 'bearer':
      return bearerPattern.test(match[2]) ? { scheme: 'bearer', token: match[2] } : 'malformed';
    default:
      return 'malformed';
  }
}

function parseBasic(encoded: string): Credential | 'none' | 'malformed' {
  const text = base64Pattern.test(encoded) ? decode(encoded) : undefined;
  const colon = text?.indexOf(':') ?? -1;
  // RFC 7617 section 2: neither part may contain control characters.
  if (text === undefined || colon < 0 || /\p{Cc}/u.test(text)) return 'malformed';
  if (text === ':') return 'none';
  return { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(encoded: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}
