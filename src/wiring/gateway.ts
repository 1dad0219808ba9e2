import { join } from 'node:path';
import { TonnageError } from '../base/index.ts';
import { parseProxyUrl, proxyUrlForm, type Config, type Environment, type UpstreamConfig } from '../config/index.ts';
import type { EnvironmentProxies, GatewayOptions, OwnAddress, UpstreamOptions } from '../gateway/index.ts';

/** The settings of the gateway and its upstreams. */
export function gatewaySettings({
  gateway,
  upstreams,
  usage,
  data,
}: Config): Pick<
  GatewayOptions,
  'upstreams' | 'defaultUpstream' | 'directory' | 'factsWaitMs' | 'fusionEntrypoint' | 'tagMemoryMs'
> {
  const { defaultUpstream, factsWait: factsWaitMs, fusionEntrypoint, tagMemory: tagMemoryMs } = gateway;
  return {
    upstreams: upstreams.map(upstreamOf),
    ...(defaultUpstream !== undefined && { defaultUpstream }),
    directory: join(data, 'cache'),
    factsWaitMs,
    ...(fusionEntrypoint !== false && { fusionEntrypoint }),
    // A tag is only remembered if the ledger keeps it.
    ...(tagMemoryMs > 0 && usage.dimensions.includes('tag') && { tagMemoryMs }),
  };
}

function upstreamOf({ auth, proxy, tagTtl: tagTtlMs, ...upstream }: UpstreamConfig): UpstreamOptions {
  const basic = auth && { username: auth.basic.username, password: auth.basic.password.reveal() };
  return {
    ...upstream,
    tagTtlMs,
    ...(basic && { auth: { basic, ...(auth.realm !== undefined && { realm: auth.realm }) } }),
    ...(proxy !== undefined && { proxy: proxy && proxy.reveal() }),
  };
}

/** The addresses of this server. The caller adds its ports once it listens. */
export function ownAddressOf({ publicUrl }: Config): OwnAddress & { readonly ports: Set<number> } {
  return { ports: new Set(), ...(publicUrl !== undefined && { publicUrl }) };
}

/**
 * The egress proxies of the environment, with the usual rules: `http_proxy` overrides `HTTP_PROXY`, an empty value means no
 * proxy, and a proxy without a scheme uses HTTP. Throws `config_invalid` without the value, which may contain a password.
 */
export function environmentProxies(environment: Environment): EnvironmentProxies {
  const valueOf = (name: string): string | undefined =>
    environment[name.toLowerCase()] || environment[name.toUpperCase()] || undefined;
  const proxyOf = (name: string): string | undefined => {
    const stated = valueOf(name);
    if (stated === undefined) return undefined;
    const url = parseProxyUrl(stated.includes('://') ? stated : `http://${stated}`);
    if (url !== undefined) return url;
    throw new TonnageError('config_invalid', `${name}: expected ${proxyUrlForm}, but came something else`);
  };
  const http = proxyOf('HTTP_PROXY');
  const https = proxyOf('HTTPS_PROXY');
  const none = valueOf('NO_PROXY');
  return {
    ...(http !== undefined && { http }),
    ...(https !== undefined && { https }),
    ...(none !== undefined && { none }),
  };
}
