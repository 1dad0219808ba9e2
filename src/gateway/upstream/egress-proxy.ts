import { isIP } from 'node:net';

import { Pool, ProxyAgent, type Dispatcher } from 'undici';

import { limits } from '../../base/index.ts';
import { classOf, isInNetwork, isSameAddress } from './address.ts';
import { skippingInterimBy } from './interim.ts';
import { portOf } from './address-policy.ts';

/** Returns the egress proxy of a URL; undefined for a direct connection. */
export type ProxyOf = (url: URL) => URL | undefined;

/** Egress proxies from the environment. */
export interface EnvironmentProxies {
  /** Proxy of `http` URLs. */
  readonly http?: string;
  /** Proxy of `https` URLs. */
  readonly https?: string;
  /** Hosts without a proxy, in the syntax of `NO_PROXY`. */
  readonly none?: string;
}

/** Options of every connection pool. */
export const pooled = {
  connections: limits.upstreamConnectionsMax,
  // HTTP/2 would share flow control between downloads: a slow reader of a large layer would block the others.
  allowH2: false,
  pipelining: 1,
} as const;

/** The connection pools of egress proxies, by proxy URL. */
export class EgressProxies {
  readonly #agents = new Map<string, ProxyAgent>();

  agent(proxy: URL): Dispatcher {
    const known = this.#agents.get(proxy.href);
    if (known !== undefined) return known;
    const agent = createProxyAgent(proxy);
    this.#agents.set(proxy.href, agent);
    return agent;
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }
}

function createProxyAgent(proxy: URL): ProxyAgent {
  const connectTimeout = limits.upstreamConnectMsMax;
  return new ProxyAgent({
    uri: proxy.href,
    ...pooled,
    connectTimeout,
    // `factory` makes connections for requests that the proxy forwards (http), `clientFactory` for tunnels (https).
    factory: (origin, options) => new Pool(origin, Object.assign({}, skippingInterimBy(options), pooled)),
    clientFactory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, pooled, { headersTimeout: connectTimeout })),
  });
}

/**
 * Chooses the proxy by the environment. `localhost` and loopback addresses never use one, because the proxy would
 * connect to its own machine.
 */
export function proxyFromEnvironment({ http, https, none = '' }: EnvironmentProxies): ProxyOf {
  const proxies = { 'http:': parsed(http), 'https:': parsed(https) };
  const direct = none
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(exemption);
  return (url) => {
    const proxy = url.protocol === 'https:' ? proxies['https:'] : proxies['http:'];
    if (proxy === undefined) return undefined;
    const host = url.hostname.replace(/^\[(.*)\]$|\.$/, '$1');
    const isLocal = host === 'localhost' || classOf(host) === 'loopback';
    return isLocal || direct.some((exempts) => exempts(host, portOf(url))) ? undefined : proxy;
  };
}

function parsed(url: string | undefined): URL | undefined {
  return url === undefined ? undefined : new URL(url);
}

/** Parses an entry of `NO_PROXY`: `*`, a network, or a host with an optional port. A name includes all its subdomains. */
function exemption(entry: string): (host: string, port: number) => boolean {
  if (entry === '*') return () => true;
  if (entry.includes('/')) return (host) => isInNetwork(host, entry);
  const [, stated = '', port] = isIP(entry) === 0 ? (/^(.*?)(?::(\d+))?$/.exec(entry) ?? []) : ['', entry];
  const name = stated
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  const isBelowOnly = stated.startsWith('*.');
  return (host, at) => {
    if (port !== undefined && Number(port) !== at) return false;
    if (isIP(name) !== 0) return isSameAddress(host, name);
    return (host === name && !isBelowOnly) || (name !== '' && host.endsWith(`.${name}`));
  };
}
