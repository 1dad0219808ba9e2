import { isIPv4, isIPv6 } from 'node:net';

/** The address of a server. */
export interface ServerAddress {
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** The address of a listener. */
export interface ListenAddress {
  /** As in `ServerAddress`. Absent: all addresses of the machine, IPv4 and IPv6. */
  readonly host?: string;
  /** With port 0 the system chooses a free port. */
  readonly port: number;
}

/** An address to listen on, as errors and docs describe it. */
export const listenForm = 'HOST:PORT, [IPV6]:PORT, :PORT or PORT (from 0 to 65535)';

const hostNamePattern = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const numericNamePattern = /^[0-9.]+$/;

/** A decimal port from 0 to 65535, or `undefined`. */
export function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

/** A host name, an IPv4 address, or an IPv6 address without its brackets; `undefined` if the text is none of these. */
export function parseHost(text: string): string | undefined {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (isIPv6(bare)) return bare;
  if (bare !== text) return undefined;
  if (isIPv4(text)) return text;
  // Digits and dots alone are a mistyped IPv4 address.
  return hostNamePattern.test(text) && !numericNamePattern.test(text) ? text.toLowerCase() : undefined;
}

/** Reads an address to listen on (`listenForm`); `undefined` if the value is not one. */
export function parseListen(value: string | number): ListenAddress | undefined {
  const text = String(value);
  const alone = parsePort(text.replace(/^:/, ''));
  if (alone !== undefined) return { port: alone };
  const match = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(text);
  const host = match?.[1] === undefined ? undefined : parseHost(match[1]);
  const port = match?.[2] === undefined ? undefined : parsePort(match[2]);
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** The text that `parseListen` reads as this address. */
export function formatListen({ host = '', port }: ListenAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/**
 * Whether two listeners cannot have these addresses at the same time. Does not resolve names, so two names of one
 * address do not overlap. Port 0 is a different free port each time.
 */
export function overlap(address: ListenAddress, other: ListenAddress): boolean {
  if (address.port !== other.port || address.port === 0) return false;
  // A listener on `::` has all IPv4 addresses too, like one without a host.
  const [host, otherHost] = [canonicalHost(address.host ?? '::'), canonicalHost(other.host ?? '::')];
  return host === otherHost || covers(host, otherHost) || covers(otherHost, host);
}

function covers(wide: string, host: string): boolean {
  return wide === '::' || (wide === '0.0.0.0' && isIPv4(host));
}

/** An IPv6 address has several notations. */
function canonicalHost(host: string): string {
  return isIPv6(host) ? (URL.parse(`http://[${host}]`)?.hostname.slice(1, -1) ?? host) : host.toLowerCase();
}
