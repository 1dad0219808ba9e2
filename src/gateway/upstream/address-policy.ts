import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';

import { classOf, isSameAddress, mayLead, wider, type Reachable } from './address.ts';
import { UpstreamError } from './failure.ts';

/** The addresses of this server. No upstream may lead to them. */
export interface OwnAddress {
  /** Ports of this server's listeners. Read at each connection, because listeners open after the gateway. */
  readonly ports: ReadonlySet<number>;
  /** This server's URL behind a proxy, if there is one. */
  readonly publicUrl?: string;
}

/** Resolves a host name to all of its addresses. */
export type Resolve = (
  host: string,
  options: { readonly all: true; readonly family?: number | 'IPv4' | 'IPv6'; readonly hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface AddressPolicyOptions {
  /** The upstream's own URL, which may have any address. */
  readonly origin: URL;
  /** Hosts, with or without a port, that the upstream may lead to at any address. */
  readonly exceptions: readonly string[];
  readonly own: OwnAddress;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve | undefined;
}

/**
 * Decides which addresses one upstream may lead to. Its redirects and token endpoints must have an address of its own class
 * or a wider one (loopback < private < public), never a link-local address, and never one of this server's listeners.
 * Exceptions are configured. The check covers the addresses that are dialled, so DNS cannot change in between.
 */
export class AddressPolicy {
  readonly #origin: URL;
  readonly #exceptions: ReadonlySet<string>;
  readonly #own: OwnAddress;
  readonly #ownHost: string | undefined;
  readonly #resolve: Resolve;
  /** The widest class of the upstream's own addresses so far. Undefined if only an egress proxy resolves its name. */
  #class: Reachable | undefined;

  constructor({ origin, exceptions, own, resolve = systemLookup }: AddressPolicyOptions) {
    this.#origin = origin;
    this.#exceptions = new Set(exceptions.map((host) => host.toLowerCase()));
    this.#own = own;
    this.#ownHost = own.publicUrl === undefined ? undefined : hostAndPortOf(new URL(own.publicUrl));
    this.#resolve = resolve;
    const address = addressIn(origin);
    if (address !== undefined) this.#class = wider(undefined, classOf(address));
  }

  /** Throws `UpstreamError` if the upstream may not lead to this URL. Names are checked by `lookup`. */
  check(url: URL): void {
    if (hostAndPortOf(url) === this.#ownHost && !this.#isListed(url, true)) throw forbidden('back to this gateway');
    const address = addressIn(url);
    if (address !== undefined) this.#checkAddress(address, url, this.#isOrigin(url));
  }

  /** Returns a lookup function for connections to `url`. It yields only addresses that may be dialled. */
  lookup(url: URL): LookupFunction {
    return (host, options, callback) => {
      const { family, hints, all } = options;
      const wanted = {
        all: true,
        ...(family !== undefined && { family }),
        ...(hints !== undefined && { hints }),
      } as const;
      this.#resolve(host, wanted, (error, addresses) => {
        if (error !== null) return callback(error, '');
        try {
          const allowed = this.#allowed(addresses, url);
          const [first = { address: '', family: 0 }] = allowed;
          if (all === true) callback(null, allowed);
          else callback(null, first.address, first.family);
        } catch (thrown) {
          callback(thrown instanceof Error ? thrown : new Error(String(thrown)), '');
        }
      });
    };
  }

  /** The addresses that may be dialled. Throws `UpstreamError` if there are none. */
  #allowed(addresses: readonly LookupAddress[], url: URL): LookupAddress[] {
    const isOrigin = this.#isOrigin(url);
    if (isOrigin) for (const { address } of addresses) this.#class = wider(this.#class, classOf(address));
    let reason = forbidden('to a name without addresses');
    const allowed = addresses.filter(({ address }) => {
      try {
        this.#checkAddress(address, url, isOrigin && classOf(address) !== 'forbidden');
        return true;
      } catch (thrown) {
        if (!(thrown instanceof UpstreamError)) throw thrown;
        reason = thrown;
        return false;
      }
    });
    if (allowed.length === 0) throw reason;
    return allowed;
  }

  #checkAddress(address: string, url: URL, isTrusted: boolean): void {
    if (this.#own.ports.has(portOf(url)) && isThisMachine(address) && !this.#isListed(url, true)) {
      throw forbidden('back to this gateway');
    }
    if (isTrusted || this.#isListed(url, false)) return;
    const to = classOf(address);
    const from = this.#class ?? 'public';
    if (mayLead(from, to)) return;
    const where = to === 'forbidden' ? 'to a link-local or reserved address' : `from a ${from} address to a ${to} one`;
    throw forbidden(`${where}; the key redirects lists exceptions`);
  }

  #isOrigin(url: URL): boolean {
    return url.origin === this.#origin.origin;
  }

  /** Only an exception with a port permits this server's listeners. Without one, it means the host's other services. */
  #isListed(url: URL, withPort: boolean): boolean {
    return this.#exceptions.has(hostAndPortOf(url)) || (!withPort && this.#exceptions.has(hostOf(url)));
  }
}

function forbidden(where: string): UpstreamError {
  return new UpstreamError('invalid', `leads ${where}`);
}

/** The host of a URL, without a trailing dot. */
function hostOf(url: URL): string {
  return url.hostname.replace(/\.$/, '');
}

export function portOf(url: URL): number {
  return Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port);
}

/** Host and port of a URL; the port is explicit. */
export function hostAndPortOf(url: URL): string {
  return `${hostOf(url)}:${portOf(url)}`;
}

/** The address in a URL; undefined if its host is a name. `localhost` counts as an address (RFC 6761, section 6.3). */
function addressIn(url: URL): string | undefined {
  const host = hostOf(url);
  if (host === 'localhost' || host.endsWith('.localhost')) return '127.0.0.1';
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}

function isThisMachine(address: string): boolean {
  if (classOf(address) === 'loopback') return true;
  return Object.values(networkInterfaces()).some((found) =>
    found?.some((each) => isSameAddress(each.address, address)),
  );
}
