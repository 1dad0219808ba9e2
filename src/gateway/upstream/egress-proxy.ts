import { isIP } from 'node:net';

import { Pool, ProxyAgent, type Dispatcher } from 'undici';

import { limits } from '../../base/index.ts';
import { classOf, isInNetwork, isSameAddress } from './address.ts';
import { skippingInterimBy } from './interim.ts';
import { portOf } from './address-policy.ts';

/** The egress proxy of requests to a URL; undefined: they are sent directly. */
export type ProxyOf = (url: URL) => URL | undefined;

/** Egress proxies as the environment names them. */
export interface EnvironmentProxies {
  /** Proxy of `http` URLs. */
  readonly http?: string;
  /** Proxy of `https` URLs. */
  readonly https?: string;
  /** Hosts that are reached directly, in the syntax of `NO_PROXY`. */
  readonly none?: string;
}

/** How connections to one origin are kept. */
export const pooled = {
  connections: limits.upstreamConnectionsMax,
  // One download must not share a connection's flow control with others: layers are large, and their readers slow.
  allowH2: false,
  pipelining: 1,
} as const;

/** The proxies that are in use, each with its connections. */
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
    // Of requests that the proxy sends on (http) and of tunnels through it (https), in this order.
    factory: (origin, options) => new Pool(origin, Object.assign({}, skippingInterimBy(options), pooled)),
    clientFactory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, pooled, { headersTimeout: connectTimeout })),
  });
}

/**
 * Chooses as the environment says. `localhost` and loopback addresses are reached directly: there the proxy would only
 * find itself.
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

/** One entry of `NO_PROXY`: `*`, a network, or a host (an address, or a name with all names below it) and maybe a port. */
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
