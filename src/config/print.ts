import { stringify } from 'yaml';
import { formatListen } from './address.ts';
import type { Config, MetricsConfig, UpstreamConfig, UserConfig } from './config.ts';
import { secretMask } from './secret.ts';
import { formatDuration } from './units.ts';

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
      fusionEntrypoint: config.gateway.fusionEntrypoint,
    },
    store: config.store,
    usage: {
      dimensions: config.usage.dimensions,
      plain: config.usage.plain,
      durability: config.usage.durability,
      commitWait: formatDuration(config.usage.commitWaitMs),
      meters: Object.fromEntries(config.usage.meters.map(({ name, ...meter }) => [name, meter])),
    },
    users: Object.fromEntries(config.users.map((user) => [user.name, userOf(user)])),
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
    auth: upstream.auth && { basic: { username: upstream.auth.basic.username, password: secretMask } },
  };
}

function userOf(user: UserConfig): object {
  return { passwordHash: secretMask, email: user.email, org: user.org, rights: user.rights };
}
