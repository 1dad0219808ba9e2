import type { ListenAddress } from './address.ts';
import type { Secret } from './secret.ts';

/** What a user may do; the same words as `identity/` has. */
export const userRights = ['pull', 'query', 'ingest', 'admin'] as const;
export type UserRight = (typeof userRights)[number];

/** Dimensions that can be kept; the same words as `usage/` has. */
export const keptDimensions = ['org', 'arch', 'upstream', 'repository', 'tag', 'outcome', 'user', 'client'] as const;
export type KeptDimension = (typeof keptDimensions)[number];

/** Those that are kept unless others are stated: the rest is finer than most want to keep, or says who somebody is. */
export const defaultDimensions: readonly KeptDimension[] = ['org', 'arch', 'upstream', 'repository'];

/** Dimensions that say who somebody is: kept as pseudonyms. */
export const personalDimensions = ['user', 'client'] as const;
export type PersonalDimension = (typeof personalDimensions)[number];

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export const durabilities = ['strict', 'relaxed'] as const;
export type Durability = (typeof durabilities)[number];

export const storeDrivers = ['sqlite', 'redis'] as const;

/** What a token of a Seqera Platform stands for while that does not say whose it is. */
export const platformFallbacks = ['stale', 'anonymous', 'refuse'] as const;
export type PlatformFallback = (typeof platformFallbacks)[number];

/** Whether events that are sent again are known by the instance that had them, or by all that share a store. */
export const dedupeScopes = ['instance', 'shared'] as const;
export type DedupeScope = (typeof dedupeScopes)[number];

/** Other programs whose metrics can be shown beside ours, under their names. */
export const metricsCompatibilities = ['ociregistry'] as const;
export type MetricsCompatibility = (typeof metricsCompatibilities)[number];

/** The listener of `/metrics`. */
export interface MetricsConfig {
  readonly listen: ListenAddress;
  /** Whether organisations are named on it. Absent: only to scrapers on this machine, on a loopback address. */
  readonly orgs?: boolean;
  /** The program whose metrics are shown too. The listener then offers the text format 0.0.4 alone. */
  readonly compat?: MetricsCompatibility;
}

/** Credentials that the gateway shows to an upstream: HTTP Basic. */
export interface UpstreamAuthConfig {
  readonly basic: { readonly username: string; readonly password: Secret };
  /** Token endpoint on another domain whose origin gets the credentials too. */
  readonly realm?: string;
}

/** One upstream that the gateway may dial. */
export interface UpstreamConfig {
  /** As it stands in image names: a host (`ghcr.io`, `localhost:5001`) or a plain word (`lab`). */
  readonly name: string;
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  /** Further names of the same upstream. No name belongs to two. */
  readonly aliases: readonly string[];
  /** How long a tag is served without asking the upstream again, in milliseconds. */
  readonly tagTtlMs: number;
  readonly auth?: UpstreamAuthConfig;
  /** Hosts, `host` or `host:port`, that the upstream may lead to at any address. */
  readonly redirects: readonly string[];
  /** URL of the egress proxy, with its credentials; false: none. Absent: as the environment says. */
  readonly proxy?: Secret | false;
}

export interface GatewayConfig {
  /** Name of the upstream of images that name none; always one of `upstreams`. */
  readonly defaultUpstream?: string;
  /** Whether images are served without credentials; `challenge`: to those that were asked for some and have none. */
  readonly anonymous: boolean | 'challenge';
  /** How long a pull waits for the facts of its image, in milliseconds. */
  readonly factsWaitMs: number;
  /** How long a pull by digest takes the tag that the same client resolved before, in milliseconds. */
  readonly tagMemoryMs: number;
  /** How long a client may take nothing of its answer before it is disconnected, in milliseconds. */
  readonly readerSilenceMs: number;
  /** Entrypoint that makes a pulled image a Fusion image; `false` counts none. */
  readonly fusionEntrypoint: string | false;
}

/** A meter that is counted beside the built-in ones. */
export interface MeterConfig {
  readonly name: string;
  /** CloudEvents type of its events; no other meter has it. */
  readonly eventType: string;
  /** Member of an event's `data` that holds its quantity. */
  readonly quantity: string;
  /** What it counts, as UCUM writes it; `1` for plain events. */
  readonly unit: string;
  readonly description?: string;
}

export interface UsageConfig {
  /** In the order of `keptDimensions`, each once. */
  readonly dimensions: readonly KeptDimension[];
  /** Those of `dimensions` that are kept as they are although they say who somebody is. */
  readonly plain: readonly PersonalDimension[];
  readonly durability: Durability;
  /** How long the answer of a pull waits for its commit, in milliseconds. */
  readonly commitWaitMs: number;
  /** Days for which an event that is sent again is known. */
  readonly dedupeDays: number;
  /** Keys of events that are known at a time, at most. */
  readonly heldKeysMax: number;
  /** Days for which details are kept; at least `dedupeDays`. */
  readonly detailDays: number;
  /** Largest quantity of one event by unit: seconds and bytes as `s` and `By`; `1` for all units that are not named. */
  readonly quantityMax: Readonly<Record<string, number>> & { readonly '1': number };
  /** `shared` only with driver redis. */
  readonly dedupe: DedupeScope;
  /** What pseudonyms are hashed with. Absent: the ledger has a key of its own. */
  readonly hashKey?: Secret;
  readonly meters: readonly MeterConfig[];
}

/** A server to dial. */
export interface ServerAddress {
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** Where a Redis is, or who says so. */
export type RedisServersConfig =
  | { readonly mode: 'standalone'; readonly url: Secret }
  | {
      readonly mode: 'sentinel';
      /** What the Sentinels call the primary. */
      readonly name: string;
      readonly sentinels: readonly ServerAddress[];
      /** Credentials of the Sentinels themselves. */
      readonly username?: string;
      readonly password?: Secret;
    }
  | { readonly mode: 'cluster'; readonly nodes: readonly ServerAddress[] };

/** PEM texts; `cert` and `key` only together. `{}` is TLS with the system's authorities. */
export interface RedisTlsConfig {
  readonly ca?: Secret;
  readonly cert?: Secret;
  readonly key?: Secret;
  /** The name that the certificates must have, where it is not the host that is dialled. */
  readonly servername?: string;
}

/** A Redis as the store of totals. */
export interface RedisStoreConfig {
  readonly driver: 'redis';
  readonly servers: RedisServersConfig;
  /** Credentials of the servers; they go before those of the URL. */
  readonly username?: string;
  readonly password?: Secret;
  /** With a URL only where that begins with `rediss://`. */
  readonly tls?: RedisTlsConfig;
  readonly outboxKeepMs: number;
  readonly outboxKeepBytes: number;
  /** Larger than `outboxKeepBytes`. */
  readonly outboxMaxBytes: number;
  readonly minReplicas: number;
  readonly allowEviction: boolean;
  readonly besideWave: boolean;
}

/** Where totals are kept. */
export type StoreConfig = { readonly driver: 'sqlite' } | RedisStoreConfig;

/** How the notifications of one kind of registry are read. */
export interface AdapterConfig {
  /** What its upstream is called, in lower case. Absent: as its notifications say. */
  readonly upstream?: string;
  /** Hosts or names, in lower case, whose notifications are ignored. */
  readonly ignoreUpstreams: readonly string[];
  /** Organisations, in lower case, by the first segments of repositories; `*` for all others. */
  readonly orgs: Readonly<Record<string, string>>;
}

export interface IngestConfig {
  readonly distribution: AdapterConfig;
  readonly harbor: AdapterConfig;
  readonly zot: AdapterConfig;
}

/** Somebody who logs in with HTTP Basic. */
export interface UserConfig {
  readonly name: string;
  readonly passwordHash: Secret;
  readonly email?: string;
  /** Lower case. Absent: the organisation of the e-mail, if there is one. */
  readonly org?: string;
  readonly rights: readonly UserRight[];
}

/** A Seqera Platform that says whose access tokens are whose. */
export interface PlatformConfig {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly whenDown: PlatformFallback;
  readonly timeoutMs: number;
  readonly cacheForMs: number;
  readonly staleForMs: number;
}

/** An issuer of OpenID Connect tokens. */
export interface OidcConfig {
  readonly issuer: string;
  /** At least one. */
  readonly audience: readonly string[];
  readonly jwksUrl?: string;
  readonly emailClaim: string;
  readonly orgClaim?: string;
  readonly rights: readonly UserRight[];
}

/** The organisation of clients that bring no credentials, by their address. */
export interface AddressRuleConfig {
  /** In CIDR notation, or one address. */
  readonly cidr: string;
  /** Lower case. */
  readonly org: string;
}

/** Who is who, beside users. */
export interface IdentityConfig {
  readonly platform?: PlatformConfig;
  readonly oidc: readonly OidcConfig[];
  readonly addresses: readonly AddressRuleConfig[];
}

/** The whole configuration, valid and frozen to its leaves. */
export interface Config {
  readonly listen: ListenAddress;
  /** Absent: there is no metrics listener. */
  readonly metrics?: MetricsConfig;
  /** Absolute path of the data directory. */
  readonly data: string;
  /** Scheme, host and port at which clients find this server; absent: as they call it. */
  readonly publicUrl?: string;
  /** Time zone in which days begin, an IANA name. */
  readonly timeZone: string;
  readonly upstreams: readonly UpstreamConfig[];
  readonly gateway: GatewayConfig;
  readonly store: StoreConfig;
  readonly usage: UsageConfig;
  readonly ingest: IngestConfig;
  readonly users: readonly UserConfig[];
  readonly identity: IdentityConfig;
  /** Networks of proxies whose `X-Forwarded-*` headers are believed, in CIDR notation. */
  readonly trustedProxies: readonly string[];
  readonly log: { readonly level: LogLevel; readonly access: boolean };
  /** How long a stop waits for requests in flight, in milliseconds. */
  readonly shutdownTimeoutMs: number;
}
