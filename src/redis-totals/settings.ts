import { assert, type Clock, type Log } from '../base/index.ts';
import type { RedisAddress, RedisLinkOptions, RedisTls } from '../redis-link/index.ts';

/** A secret of the configuration. */
interface Secret {
  reveal(): string;
}

/** The configuration of the store `redis`. It has one of `url`, `sentinel` and `cluster`. */
export interface RedisSettings {
  readonly url?: Secret;
  readonly sentinel?: {
    readonly name: string;
    readonly addresses: readonly RedisAddress[];
    readonly username?: string;
    readonly password?: Secret;
  };
  readonly cluster?: readonly RedisAddress[];
  /** Credentials of the servers; they override those of the URL. */
  readonly username?: string;
  readonly password?: Secret;
  readonly tls?: { readonly [K in keyof RedisTls]: K extends 'servername' ? string : Secret };
  /** In milliseconds. */
  readonly outboxKeep: number;
  readonly outboxKeepBytes: number;
  readonly outboxMax: number;
  readonly minReplicas: number;
  readonly allowEviction: boolean;
  readonly besideWave: boolean;
}

/** The options of a link to the configured Redis. Only this file reveals its secrets. */
export function redisLinkOptions(
  { url, sentinel, cluster, username, password, tls }: RedisSettings,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): RedisLinkOptions {
  const common = {
    ...(username !== undefined && { username }),
    ...(password && { password: password.reveal() }),
    ...(tls && { tls: revealed(tls) }),
    clock,
    log,
  };
  if (url !== undefined) return { mode: 'standalone', url: url.reveal(), ...common };
  if (cluster !== undefined) return { mode: 'cluster', nodes: cluster, ...common };
  assert(sentinel, 'the configuration of Redis has url, cluster or sentinel');
  return {
    mode: 'sentinel',
    name: sentinel.name,
    sentinels: sentinel.addresses,
    ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
    ...(sentinel.password && { sentinelPassword: sentinel.password.reveal() }),
    ...common,
  };
}

function revealed({ ca, cert, key, servername }: NonNullable<RedisSettings['tls']>): RedisTls {
  return {
    ...(ca && { ca: ca.reveal() }),
    ...(cert && { cert: cert.reveal() }),
    ...(key && { key: key.reveal() }),
    ...(servername !== undefined && { servername }),
  };
}

const redisPort = '6379';

/**
 * The normalised addresses of a Redis, to compare two configurations. Two names of one Redis still differ; a migration
 * finds out when it writes there.
 */
export function placesOf(options: RedisLinkOptions): readonly string[] {
  if (options.mode === 'cluster') return options.nodes.map(addressOf);
  if (options.mode === 'sentinel') return options.sentinels.map((each) => `${options.name} at ${addressOf(each)}`);
  const { protocol, hostname, port, pathname } = new URL(options.url);
  if (protocol === 'unix:') return [pathname];
  const database = Number(pathname.slice(1) || 0);
  return [`${addressOf({ host: hostname.toLowerCase(), port: Number(port || redisPort) })}/${database}`];
}

function addressOf({ host, port }: RedisAddress): string {
  return `${host}:${port}`;
}
