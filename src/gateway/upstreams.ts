import { TonnageError, type Clock } from '../base/index.ts';
import type { UpstreamOptions } from './options.ts';
import { createUpstreamClient, upstreamUrl, type UpstreamClient } from './upstream/client.ts';
import { Connections } from './upstream/connection.ts';
import { EgressProxies, type ProxyOf } from './upstream/egress-proxy.ts';
import { countingBytes } from './upstream/metering.ts';
import { hostAndPortOf, AddressPolicy, type OwnAddress, type Resolve } from './upstream/address-policy.ts';
import type { UpstreamMeters } from './upstream-meters.ts';
import { isWellKnownHost, wellKnownRealm, wellKnownUpstreams } from './well-known.ts';

/** A configured upstream with its client. */
export interface Upstream {
  readonly name: string;
  readonly tagTtlMs: number;
  /** Whether requests have credentials, so that cached content may be private. */
  readonly authenticated: boolean;
  /** Size limit of a blob of unknown size. */
  readonly undeclaredBlobBytesMax: number;
  /** First segment to add to names of one segment (`library` at Docker Hub). */
  readonly singleSegmentPrefix: string | undefined;
  readonly client: UpstreamClient;
  readonly meters: UpstreamMeters;
}

/** Options of all upstreams. */
interface SharedUpstreamOptions {
  /** The egress proxy for upstreams that configure none. */
  readonly proxyOf: ProxyOf;
  readonly own: OwnAddress;
  readonly resolve?: Resolve | undefined;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly undeclaredBlobBytesMax: number;
  /** Returns the metrics of an upstream. */
  readonly meters: (name: string) => UpstreamMeters;
}

/** The gateway's own paths have these words in the place of an upstream. */
const reservedNames: ReadonlySet<string> = new Set(['wt', 'token', '_catalog']);
const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::[0-9]{1,5})?$/;

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

function configError(message: string): TonnageError {
  return new TonnageError('config_invalid', message);
}

function checkedName(name: string): string {
  if (reservedNames.has(name)) throw configError(`"${name}" cannot be the name of an upstream: it is reserved`);
  if (!namePattern.test(name))
    throw configError(`expected a host or a lower-case word as upstream name, got "${name}"`);
  return name;
}

/** The configured upstreams by name and alias. */
export class UpstreamTable {
  readonly #byName = new Map<string, Upstream>();
  readonly #connections: Connections[] = [];
  readonly #proxies = new EgressProxies();
  readonly names: readonly string[];
  /** The upstream of images whose name has none. */
  readonly fallback: Upstream | undefined;

  /** Throws `config_invalid` for duplicate or invalid names, and for an unknown default. */
  constructor(
    upstreams: readonly UpstreamOptions[],
    defaultUpstream: string | undefined,
    shared: SharedUpstreamOptions,
  ) {
    this.names = upstreams.map(({ name }) => name);
    for (const options of upstreams) {
      const connections = connectionsOf(options, this.#proxies, shared);
      this.#connections.push(connections);
      const upstream = createUpstream(options, connections, shared);
      for (const name of [options.name, ...(options.aliases ?? [])]) this.#add(name, upstream);
    }
    this.fallback = defaultUpstream === undefined ? undefined : this.find(defaultUpstream);
    if (defaultUpstream !== undefined && this.fallback === undefined) {
      throw configError(
        `the default upstream "${defaultUpstream}" is not among the upstreams: ${this.names.join(', ')}`,
      );
    }
  }

  /** Returns the upstream with this name or alias, ignoring case. */
  find(name: string): Upstream | undefined {
    // The lower case of some non-ASCII letters is ASCII, but those are other names.
    return this.#byName.get(name) ?? (isAscii(name) ? this.#byName.get(name.toLowerCase()) : undefined);
  }

  /** Aborts all connections. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#connections, this.#proxies].map((each) => each.destroy()));
  }

  #add(name: string, upstream: Upstream): void {
    if (this.#byName.has(checkedName(name))) throw configError(`the upstream name "${name}" is given twice`);
    this.#byName.set(name, upstream);
  }
}

function connectionsOf(
  { name, url, auth, redirects = [], proxy }: UpstreamOptions,
  proxies: EgressProxies,
  { proxyOf, own, resolve, meters }: SharedUpstreamOptions,
): Connections {
  // A configured token endpoint may have any address, like the upstream itself.
  const exceptions = auth?.realm === undefined ? redirects : [...redirects, hostAndPortOf(new URL(auth.realm))];
  const stated = typeof proxy === 'string' ? new URL(proxy) : undefined;
  return new Connections({
    policy: new AddressPolicy({ origin: upstreamUrl(url), exceptions, own, resolve }),
    proxies,
    proxyOf: proxy === undefined ? proxyOf : () => stated,
    wrap: (dispatcher) => countingBytes(dispatcher, meters(name)),
  });
}

function createUpstream(
  options: UpstreamOptions,
  connections: Connections,
  { clock, userAgent, undeclaredBlobBytesMax, meters: metersOf }: SharedUpstreamOptions,
): Upstream {
  const url = upstreamUrl(options.url);
  if (url.protocol === 'http:' && isWellKnownHost(url.host)) {
    throw configError(`expected https in the url of the upstream "${options.name}"`);
  }
  const credentials = options.auth?.basic;
  const realms = [options.auth?.realm, wellKnownRealm(options.name, url.host)];
  const meters = metersOf(options.name);
  return {
    name: options.name,
    tagTtlMs: options.tagTtlMs,
    authenticated: credentials !== undefined,
    singleSegmentPrefix: wellKnownUpstreams[options.name]?.singleSegmentPrefix,
    undeclaredBlobBytesMax,
    meters,
    client: createUpstreamClient({
      url: options.url,
      connections,
      clock,
      userAgent,
      meter: meters,
      ...(credentials === undefined ? {} : { credentials }),
      realms: realms.flatMap((realm) => (realm === undefined ? [] : [new URL(realm).origin])),
    }),
  };
}
