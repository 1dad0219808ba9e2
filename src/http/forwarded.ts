import { isIP } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isLoopbackAddress, isWithin, parseAddress, parseNetwork, plainAddress } from '../identity/index.ts';

/** What a trusted proxy says about a request that it forwarded. */
export interface Forwarded {
  /** Address of the client; empty when the proxy does not name one that we can read. */
  readonly client: string;
  /** Scheme and host that the client used; absent where the proxy does not say. */
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
}

const forwarded = new WeakMap<IncomingHttpHeaders, Forwarded>();

/** What a trusted proxy says about the request with these headers; `undefined` when none sent it. */
export function forwardedOf(headers: IncomingHttpHeaders): Forwarded | undefined {
  return forwarded.get(headers);
}

/** Headers that proxies add and clients have no reason to send. Further ones are recognised by their prefix. */
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
 * The client's address: the one that a trusted proxy names, else the address of the connection. Empty when it is unknown:
 * a proxy on this machine, trusted or not, forwarded the request without an address that we can read. An unknown client
 * matches no address rule and is never taken for the proxy or for this machine.
 */
export function clientOf(headers: IncomingHttpHeaders, connected: string | undefined): string {
  const said = forwardedOf(headers);
  if (said !== undefined) return plainAddress(said.client);
  if (connected === undefined) return '';
  return isLoopbackAddress(connected) && isForwarded(headers) ? '' : plainAddress(connected);
}

/**
 * Reads what proxies say about a request (`X-Forwarded-For`, `-Proto`, `-Host`), for `forwardedOf`. Call it before
 * anything else looks at the request. Any client can send these headers, so they are believed only on connections from
 * `trusted` networks (in CIDR notation).
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
 * The client in a chain of proxies. Each proxy appends the address that called it. The entries are read from the last one
 * back, for as long as a trusted proxy wrote them: what the first stranger sent along proves nothing. Empty when such an
 * entry is missing or is no address, and when a proxy elsewhere writes a loopback address: that is its machine, not this one.
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

/** An address, which some proxies write with its port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressIn(text: string): string | undefined {
  const match = /^\[([^\]]+)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  return isIP(address) > 0 ? address : undefined;
}

function itemsOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text.split(',').map((item) => item.trim());
}

/** Of several values the last one: the nearest proxy wrote it. */
function lastOf(header: string | readonly string[] | undefined): string | undefined {
  return itemsOf(header).findLast((item) => item !== '');
}
