import { assert, limits, TonnageError } from '../base/index.ts';
import type { ConnectionOptions, Endpoint } from './connection.ts';
import type { ClusterRedis, RedisAddress, RedisLinkOptions, RedisTls, SentinelRedis } from './types.ts';

/** The servers to connect to. Sentinels have credentials of their own. */
type LinkTarget =
  | { readonly mode: 'standalone'; readonly endpoint: Endpoint }
  | { readonly mode: 'sentinel'; readonly redis: SentinelRedis; readonly sentinel: ConnectionOptions }
  | { readonly mode: 'cluster'; readonly redis: ClusterRedis };

/** The options of a link, validated and with defaults. */
interface LinkSettings {
  readonly target: LinkTarget;
  /** Options of connections to servers. */
  readonly connection: ConnectionOptions;
  readonly retryMs: number;
}

/** Validates the options of a link and adds defaults. @throws {TonnageError} `config_invalid` */
export function settingsOf(options: RedisLinkOptions): LinkSettings {
  const url = options.mode === 'standalone' ? parseRedisUrl(options.url) : undefined;
  const common = {
    tls: tlsOf(options, url?.secure),
    commandTimeoutMs: positive('commandTimeoutMs', options.commandTimeoutMs ?? limits.redisCommandMsMax),
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? limits.redisConnectMsMax),
    clock: options.clock,
  };
  const connection = {
    ...common,
    username: options.username ?? url?.username,
    password: options.password ?? url?.password,
    database: options.database ?? url?.database,
  };
  checkCredentials(connection);
  checkTopology(options, connection.database);
  return {
    target: targetOf(options, url, common),
    connection,
    retryMs: positive('retryMs', options.retryMs ?? limits.redisRetryMsMax),
  };
}

function targetOf(options: RedisLinkOptions, url: RedisUrl | undefined, common: ConnectionOptions): LinkTarget {
  if (options.mode === 'cluster') return { mode: 'cluster', redis: options };
  if (options.mode === 'sentinel') {
    const sentinel = { ...common, username: options.sentinelUsername, password: options.sentinelPassword };
    checkCredentials(sentinel);
    return { mode: 'sentinel', redis: options, sentinel };
  }
  assert(url, 'the address of a standalone server was parsed');
  return { mode: 'standalone', endpoint: url.endpoint };
}

function checkCredentials({ username, password, database }: ConnectionOptions): void {
  if (username !== undefined && password === undefined) throw invalid(`the Redis user ${username} has no password`);
  if (database !== undefined && !(Number.isSafeInteger(database) && database >= 0)) {
    throw invalid(`expected the number of a database, 0 or more, not ${database}`);
  }
}

function checkTopology(options: RedisLinkOptions, database: number | undefined): void {
  if (options.mode === 'standalone') return;
  const addresses = options.mode === 'sentinel' ? options.sentinels : options.nodes;
  if (addresses.length === 0) throw invalid(`mode ${options.mode} needs at least one address`);
  for (const address of addresses) checkAddress(address);
  if (options.mode === 'sentinel' && options.name === '') throw invalid('the name of the primary is empty');
  if (options.mode === 'cluster' && database) throw invalid(`a Cluster has only database 0, not ${database}`);
}

function checkAddress({ host, port }: RedisAddress): void {
  const isPort = Number.isSafeInteger(port) && port > 0 && port < 65_536;
  if (host === '' || !isPort) throw invalid(`expected a host and a port from 1 to 65535, not ${host}:${port}`);
}

function tlsOf({ mode, tls }: RedisLinkOptions, secure: boolean | undefined): RedisTls | undefined {
  if (mode === 'standalone' && tls && !secure) throw invalid('TLS options need an address that begins with rediss://');
  if (tls && (tls.cert === undefined) !== (tls.key === undefined)) {
    throw invalid('a client certificate needs both cert and key');
  }
  return tls ?? (secure ? {} : undefined);
}

interface RedisUrl {
  readonly endpoint: Endpoint;
  readonly secure: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
}

const schemes: ReadonlySet<string> = new Set(['redis:', 'rediss:', 'unix:']);

/**
 * Parses `redis[s]://[user[:password]@]host[:port][/database]` or `unix:///path`. Errors do not quote the text, because
 * it may contain a password. @throws {TonnageError} `config_invalid`
 */
export function parseRedisUrl(text: string): RedisUrl {
  const url = URL.parse(text);
  if (!url || !schemes.has(url.protocol)) {
    throw invalid('expected an address that begins with redis://, rediss:// or unix:///');
  }
  if (url.search || url.hash) throw invalid('expected an address of Redis without ? and #');
  if (url.protocol === 'unix:') {
    if (url.host || url.pathname.length < 2) throw invalid('expected unix:///path/to/socket');
    return { endpoint: { path: decoded(url.pathname) }, secure: false };
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw invalid('the address of Redis names no host');
  const database = /^\/?(\d*)$/.exec(url.pathname)?.[1];
  if (database === undefined) throw invalid('expected the number of a database after the host of Redis');
  return {
    endpoint: { host, port: url.port === '' ? 6379 : Number(url.port) },
    secure: url.protocol === 'rediss:',
    ...(url.username && { username: decoded(url.username) }),
    ...(url.password && { password: decoded(url.password) }),
    ...(database && { database: Number(database) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('the address of Redis has a % without two hexadecimal digits after it');
  }
}

function positive(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`expected ${name} to be a whole number of milliseconds above 0, not ${value}`);
}

function invalid(message: string): TonnageError {
  return new TonnageError('config_invalid', message);
}
