import { stringify } from 'yaml';
import { formatListen } from './address.ts';
import type {
  Config,
  IdentityConfig,
  IngestConfig,
  MetricsConfig,
  RedisServersConfig,
  RedisTlsConfig,
  StoreConfig,
  UpstreamConfig,
  UsageConfig,
  UserConfig,
} from './config.ts';
import { secretMask, type Secret } from './secret.ts';
import { formatDuration, formatSize } from './units.ts';

/**
 * The configuration as a YAML file that states every key, also those that hold their default. Secrets are masked.
 * Without secrets, reading it again gives the same configuration.
 */
export function printConfig(config: Config): string {
  const stated = {
    listen: formatListen(config.listen),
    metrics: metricsOf(config.metrics),
    data: config.data,
    ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
    timeZone: config.timeZone,
    upstreams: Object.fromEntries(config.upstreams.map((upstream) => [upstream.name, upstreamOf(upstream)])),
    gateway: {
      defaultUpstream: config.gateway.defaultUpstream,
      anonymous: config.gateway.anonymous,
      factsWait: formatDuration(config.gateway.factsWaitMs),
      tagMemory: formatDuration(config.gateway.tagMemoryMs),
      readerSilence: formatDuration(config.gateway.readerSilenceMs),
      fusionEntrypoint: config.gateway.fusionEntrypoint,
    },
    store: storeOf(config.store),
    usage: {
      dimensions: config.usage.dimensions,
      plain: config.usage.plain,
      durability: config.usage.durability,
      commitWait: formatDuration(config.usage.commitWaitMs),
      dedupeDays: config.usage.dedupeDays,
      heldKeysMax: config.usage.heldKeysMax,
      detailDays: config.usage.detailDays,
      quantityMax: quantityMaxOf(config.usage.quantityMax),
      dedupe: config.usage.dedupe,
      hashKey: masked(config.usage.hashKey),
      meters: Object.fromEntries(config.usage.meters.map(({ name, ...meter }) => [name, meter])),
    },
    ingest: ingestOf(config.ingest),
    users: Object.fromEntries(config.users.map((user) => [user.name, userOf(user)])),
    identity: identityOf(config.identity),
    trustedProxies: config.trustedProxies,
    log: config.log,
    shutdownTimeout: formatDuration(config.shutdownTimeoutMs),
  };
  // Texts that look like references would be followed when this is read again.
  return stringify(
    stated,
    (_key, value: unknown) => (typeof value === 'string' ? value.replaceAll('${', () => '$${') : value),
    {
      aliasDuplicateObjects: false,
      lineWidth: 0,
    },
  );
}

function metricsOf(metrics: MetricsConfig | undefined): object | false {
  if (metrics === undefined) return false;
  return { listen: formatListen(metrics.listen), orgs: metrics.orgs, compat: metrics.compat };
}

function upstreamOf(upstream: UpstreamConfig): object {
  return {
    url: upstream.url,
    aliases: upstream.aliases,
    tagTtl: formatDuration(upstream.tagTtlMs),
    auth: upstream.auth && {
      basic: { username: upstream.auth.basic.username, password: secretMask },
      realm: upstream.auth.realm,
    },
    redirects: upstream.redirects,
    proxy: upstream.proxy && masked(upstream.proxy),
  };
}

function quantityMaxOf({ By: bytes = 0, s: seconds = 0, ...others }: UsageConfig['quantityMax']): object {
  return { ...others, By: formatSize(bytes), s: formatDuration(seconds * 1_000) };
}

function masked(secret: Secret | undefined): string | undefined {
  return secret && secretMask;
}

function storeOf(store: StoreConfig): object {
  if (store.driver === 'sqlite') return store;
  return {
    driver: store.driver,
    ...serversOf(store.servers),
    username: store.username,
    password: masked(store.password),
    tls: tlsOf(store.tls),
    outboxKeep: formatDuration(store.outboxKeepMs),
    outboxKeepBytes: formatSize(store.outboxKeepBytes),
    outboxMax: formatSize(store.outboxMaxBytes),
    minReplicas: store.minReplicas,
    allowEviction: store.allowEviction,
    besideWave: store.besideWave,
  };
}

function serversOf(servers: RedisServersConfig): object {
  switch (servers.mode) {
    case 'standalone':
      return { url: secretMask };
    case 'sentinel': {
      const { name, sentinels, username, password } = servers;
      return { sentinel: { name, addresses: sentinels.map(formatListen), username, password: masked(password) } };
    }
    case 'cluster':
      return { cluster: servers.nodes.map(formatListen) };
  }
}

function tlsOf(tls: RedisTlsConfig | undefined): object | true | undefined {
  if (tls === undefined || Object.keys(tls).length === 0) return tls && true;
  return { ca: masked(tls.ca), cert: masked(tls.cert), key: masked(tls.key), servername: tls.servername };
}

/** What zot sends holds no pulls, so there is nothing of it to ignore. */
function ingestOf({ distribution, harbor, zot: { upstream, orgs } }: IngestConfig): object {
  return { distribution, harbor, zot: { upstream, orgs } };
}

function identityOf({ platform, oidc, addresses }: IdentityConfig): object {
  return {
    platform: platform && {
      endpoint: platform.endpoint,
      whenDown: platform.whenDown,
      timeout: formatDuration(platform.timeoutMs),
      cacheFor: formatDuration(platform.cacheForMs),
      staleFor: formatDuration(platform.staleForMs),
    },
    oidc,
    addresses,
  };
}

function userOf(user: UserConfig): object {
  return { passwordHash: secretMask, email: user.email, org: user.org, rights: user.rights };
}
