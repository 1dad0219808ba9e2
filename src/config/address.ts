import { isIPv4, isIPv6 } from 'node:net';

/** The address of a server. */
export interface ServerAddress {
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** The address of a listener. With port 0 the system chooses a free port. */
export type ListenAddress = ServerAddress;

/** How an address to listen on is written, for messages and descriptions. */
export const listenForm = 'HOST:PORT, [IPV6]:PORT or PORT (from 0 to 65535)';

/** The host of an address that is written as a port alone: every IPv4 address of the machine. */
const everyAddress = '0.0.0.0';
const hostNamePattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const numericNamePattern = /^[0-9.]+$/;

/** A decimal port from 0 to 65535, or `undefined`. */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** A host name, an IPv4 address, or an IPv6 address with or without brackets (answered without), or `undefined`. */
export function parseHost(text: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIPv6(bare)) return bare;
  if (bare !== text) return undefined;
  if (isIPv4(text)) return text;
  // A name of digits and dots alone is an IPv4 address with a mistake in it.
  return hostNamePattern.test(text) && !numericNamePattern.test(text) ? text.toLowerCase() : undefined;
}

/** Reads what `listen` and `metrics` may say (`listenForm`); `undefined` when it is none. */
export function parseListen(value: string | number): ListenAddress | undefined {
  const text = String(value);
  const alone = parsePort(text);
  if (alone !== undefined) return { host: everyAddress, port: alone };
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text);
  const host = match?.[1] === undefined ? undefined : parseHost(match[1]);
  const port = match?.[2] === undefined ? undefined : parsePort(match[2]);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** The text that `parseListen` reads as this address. */
export function formatListen(address: ListenAddress): string {
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/**
 * Whether no second listener can be at `other` while one is at `address`, as far as that can be told without asking for
 * names. A free port that the system chooses (0) is another one each time.
 */
export function overlap(address: ListenAddress, other: ListenAddress): boolean {
  if (address.port !== other.port || address.port === 0) return false;
  const [host, otherHost] = [canonicalHost(address.host), canonicalHost(other.host)];
  return host === otherHost || covers(host, otherHost) || covers(otherHost, host);
}

/** One that listens on `::` gets what is sent to IPv4 addresses, too. */
function covers(wide: string, host: string): boolean {
  return wide === '::' || (wide === everyAddress && isIPv4(host));
}

/** An IPv6 address can be written in several ways. */
function canonicalHost(host: string): string {
  return isIPv6(host) ? (URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host) : host.toLowerCase();
}
