import { isIP } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isWithin, parseAddress, parseNetwork, plainAddress } from '../base/index.ts';
import { isLoopbackAddress } from '../identity/index.ts';

/** A trusted proxy's statement about a request that it forwarded. */
export interface Forwarded {
  /** Address of the client; empty if the proxy states no valid address. */
  readonly client: string;
  /** Scheme and host that the client used; absent if the proxy does not state them. */
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
}

const forwarded = new WeakMap<IncomingHttpHeaders, Forwarded>();

/** Returns a trusted proxy's statement about the request with these headers; `undefined` if no trusted proxy sent it. */
export function forwardedOf(headers: IncomingHttpHeaders): Forwarded | undefined {
  return forwarded.get(headers);
}

/** Headers that proxies add and clients have no reason to send. `proxyPrefixes` covers the rest. */
const proxyHeaders: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'fly-client-ip',
  'true-client-ip',
]);
const proxyPrefixes = ['x-forwarded', 'x-envoy-'] as const;

/** Whether a proxy forwarded the request with these headers, trusted or not. */
export function isForwarded(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) {
    if (proxyHeaders.has(name) || proxyPrefixes.some((prefix) => name.startsWith(prefix))) return true;
  }
  return false;
}

/**
 * Returns the client's address: the one that a trusted proxy states, otherwise the address of the connection. Empty if
 * a proxy on this machine, trusted or not, forwarded the request without a usable address. Such a client matches no
 * address rule, and is never mistaken for the proxy or for this machine.
 */
export function clientOf(headers: IncomingHttpHeaders, connected: string | undefined): string {
  const stated = forwardedOf(headers);
  if (stated !== undefined) return plainAddress(stated.client);
  if (connected === undefined) return '';
  return isLoopbackAddress(connected) && isForwarded(headers) ? '' : plainAddress(connected);
}

/**
 * Creates the reader of `X-Forwarded-For`, `-Proto` and `-Host`, which stores its result for `forwardedOf`. Call it
 * before anything else uses the request. Any client can send these headers, so they count only on connections from
 * `trusted` networks (CIDR notation). Our own: `proxy-addr` answers a loopback address that a remote proxy states,
 * which would pass for this machine.
 */
export function createForwardedReader(trusted: readonly string[]): (request: IncomingMessage) => void {
  const networks = trusted.flatMap((cidr) => parseNetwork(cidr) ?? []);
  const isTrusted = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== undefined && networks.some((network) => isWithin(address, network));
  };
  return ({ headers, socket }) => {
    if (networks.length === 0) return;
    const peer = socket.remoteAddress ?? '';
    if (!isTrusted(peer)) return;
    const scheme = lastOf(headers['x-forwarded-proto'])?.toLowerCase();
    const host = lastOf(headers['x-forwarded-host']);
    forwarded.set(headers, {
      client: isForwarded(headers) ? clientIn(headers['x-forwarded-for'], peer, isTrusted) : peer,
      ...((scheme === 'http' || scheme === 'https') && { scheme }),
      ...(host !== undefined && { host }),
    });
  };
}

/**
 * Returns the client's address from a chain of proxies. Each proxy appends the address of its caller, so entries are read
 * from last to first while a trusted proxy wrote them; the entries before that prove nothing. Empty if such an entry is
 * missing or invalid, or if a remote proxy states a loopback address: that means its own machine, not this one.
 */
function clientIn(
  header: string | readonly string[] | undefined,
  peer: string,
  isTrusted: (address: string) => boolean,
): string {
  let client = peer;
  for (const item of itemsOf(header).toReversed()) {
    const address = addressIn(item);
    if (address === undefined || (isLoopbackAddress(address) && !isLoopbackAddress(client))) return '';
    client = address;
    if (!isTrusted(client)) break;
  }
  return client;
}

/** Parses an address. Some proxies append the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressIn(text: string): string | undefined {
  const match = /^\[([^\]]+)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  return isIP(address) > 0 ? address : undefined;
}

function itemsOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text.split(',').map((item) => item.trim());
}

/** The last value: the nearest proxy wrote it. */
function lastOf(header: string | readonly string[] | undefined): string | undefined {
  return itemsOf(header).findLast((item) => item !== '');
}
