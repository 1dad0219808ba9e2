import { TonnageError, type Clock } from '../base/index.ts';
import type { UpstreamOptions } from './options.ts';
import { createUpstreamClient, upstreamUrl, type UpstreamClient } from './upstream/client.ts';
import { Connections } from './upstream/connection.ts';
import { EgressProxies, type ProxyOf } from './upstream/egress-proxy.ts';
import { countingBytes } from './upstream/metering.ts';
import { hostAndPortOf, AddressPolicy, type OwnAddress, type Resolve } from './upstream/address-policy.ts';
import type { UpstreamMeters } from './upstream-meters.ts';
import { isWellKnownHost, wellKnownRealm, wellKnownUpstreams } from './well-known.ts';

/** A configured upstream and the client that speaks to it. */
export interface Upstream {
  readonly name: string;
  readonly tagTtlMs: number;
  /** Whether it is asked with credentials: what is cached then was not for everybody. */
  readonly authenticated: boolean;
  /** Largest number of bytes of a blob whose size is unknown. */
  readonly undeclaredBlobBytesMax: number;
  /** Put before names of one segment (`library` at Docker Hub). */
  readonly singleSegmentPrefix: string | undefined;
  readonly client: UpstreamClient;
  /** What is counted of it. */
  readonly meters: UpstreamMeters;
}

/** What all upstreams share. */
export interface SharedUpstreamOptions {
  /** The egress proxies of upstreams that state none. */
  readonly proxyOf: ProxyOf;
  readonly own: OwnAddress;
  readonly resolve?: Resolve | undefined;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly undeclaredBlobBytesMax: number;
  /** The series of the upstream that is called so. */
  readonly meters: (name: string) => UpstreamMeters;
}

/** Words that stand at an upstream's place in paths of our own. */
const reservedNames: ReadonlySet<string> = new Set(['wt', 'token', '_catalog']);
const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::[0-9]{1,5})?$/;

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

function configError(message: string): TonnageError {
  return new TonnageError('config_invalid', message);
}

function checkedName(name: string): string {
  if (reservedNames.has(name))
    throw configError(`"${name}" cannot be the name of an upstream: it is a path of our own`);
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
  /** The upstream of images that name none. */
  readonly fallback: Upstream | undefined;

  /** Throws `config_invalid` for names that are taken twice or not possible, and for a default that is not there. */
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

  /** The upstream that is called so. Hosts compare without regard to case. */
  find(name: string): Upstream | undefined {
    // Beyond ASCII there are letters whose lower case is an ASCII letter: those are other names.
    return this.#byName.get(name) ?? (isAscii(name) ? this.#byName.get(name.toLowerCase()) : undefined);
  }

  /** Breaks all connections off. */
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
  // A token endpoint that is stated may be anywhere, as the upstream itself.
  const exceptions = auth?.realm === undefined ? redirects : [...redirects, hostAndPortOf(new URL(auth.realm))];
  const stated = typeof proxy === 'string' ? new URL(proxy) : undefined;
  return new Connections({
    reach: new AddressPolicy({ origin: upstreamUrl(url), exceptions, own, resolve }),
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
    throw configError(`the upstream "${options.name}" must be spoken to by https`);
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
