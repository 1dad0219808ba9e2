export const postgresDsnForm =
  'a URL such as "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" or "postgresql:///DATABASE?host=/run/postgresql" (its sslmode, if any: disable, no-verify or verify-full)';

/**
 * The client library takes other modes for `verify-full`, whatever they mean to PostgreSQL's own clients, and prints
 * warnings about some.
 */
const tlsModes: readonly string[] = ['disable', 'no-verify', 'verify-full'];

/** The URL itself if it names a PostgreSQL database (`postgresDsnForm`), otherwise `undefined`. */
export function parsePostgresDsn(stated: string): string | undefined {
  // A `#` begins a fragment, so the rest of a password would be lost without an error. It must be written as %23.
  if (!/^postgres(ql)?:\/\/[^\s#\\]+$/.test(stated)) return undefined;
  // With a socket, a URL may have a user but no host. The parser accepts no such URL.
  const url = URL.parse(stated.replace('@/', '@socket/'));
  // The client connects to one host.
  if (url === null || url.host.includes(',')) return undefined;
  if (!url.searchParams.getAll('sslmode').every((mode) => tlsModes.includes(mode))) return undefined;
  return [url.username, url.password, url.pathname].every(isDecodable) ? stated : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
