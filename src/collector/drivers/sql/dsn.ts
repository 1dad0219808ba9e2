import { parsePostgresDsn } from '../../postgres/dsn.ts';

export const dsnForm =
  'a URL such as "postgresql://USER:PASSWORD@HOST:PORT/DATABASE", "mariadb://USER:PASSWORD@HOST:PORT/DATABASE", ' +
  '"mysql://..." or "sqlite:/PATH"';

/** The kind of database that a DSN names. */
export function kindOf(dsn: string): 'postgres' | 'mysql' | 'sqlite' {
  if (dsn.startsWith('sqlite:')) return 'sqlite';
  return dsn.startsWith('postgres') ? 'postgres' : 'mysql';
}

/** The DSN itself if it is valid (`dsnForm`), otherwise `undefined`. */
export function parseDsn(stated: string): string | undefined {
  if (stated.startsWith('sqlite:')) return sqlitePath(stated) === undefined ? undefined : stated;
  return /^(mysql|mariadb):/.test(stated) ? mysqlAddress(stated) && stated : parsePostgresDsn(stated);
}

/** The absolute path of the file of `sqlite:/PATH` or `sqlite:///PATH`, taken as it is written. */
export function sqlitePath(dsn: string): string | undefined {
  return /^sqlite:(?:\/\/)?(\/[^/\0][^\0]*)$/.exec(dsn)?.[1];
}

/** Where a MySQL or MariaDB is, and how to log in there. */
export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  /** The path of a Unix socket, instead of host and port. */
  readonly socketPath: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: 'off' | 'unverified' | 'verified';
  /** The path of a file with the certificates of trusted authorities. Absent: those of Node.js. */
  readonly caFile: string | undefined;
}

const tlsModes = { DISABLED: 'off', REQUIRED: 'unverified', VERIFY_IDENTITY: 'verified' } as const;

/**
 * Reads `mysql://USER:PASSWORD@HOST:PORT/DATABASE?socket=PATH&ssl-mode=MODE&ssl-ca=PATH`; `undefined` if it is not of
 * that form. Modes as in MySQL's own clients: `DISABLED` (the default), `REQUIRED` and `VERIFY_IDENTITY`.
 */
export function mysqlAddress(dsn: string): MysqlAddress | undefined {
  if (!/^(mysql|mariadb):\/\/[^\s#\\]+$/.test(dsn)) return undefined;
  // With a socket, a URL may have a user but no host. The parser accepts no such URL.
  const url = URL.parse(dsn.replace('@/', '@localhost/'));
  if (url === null || url.host.includes(',')) return undefined;
  const known = ['socket', 'ssl-mode', 'ssl-ca'];
  const keys = [...url.searchParams.keys()];
  if (keys.some((key, index) => !known.includes(key) || keys.indexOf(key) !== index)) return undefined;
  const mode = url.searchParams.get('ssl-mode') ?? 'DISABLED';
  const tls = Object.entries(tlsModes).find(([name]) => name === mode)?.[1];
  if (tls === undefined) return undefined;
  try {
    const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decodeURIComponent);
    return {
      host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
      port: url.port === '' ? 3306 : Number(url.port),
      socketPath: url.searchParams.get('socket') ?? undefined,
      user: user || undefined,
      password: password || undefined,
      database: database || undefined,
      tls,
      caFile: url.searchParams.get('ssl-ca') ?? undefined,
    };
  } catch {
    return undefined;
  }
}
