import { isIPv4 } from 'node:net';

/** Whether a listener on this host or address is reached from this machine only: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackAddress(host: string): boolean {
  const address = host.toLowerCase().replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/**
 * Whether a request's `Host` header names a loopback host, with any port or none. A page of some other site can make a
 * browser send requests here under a name of its own (DNS rebinding), but not under these.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::[0-9]{0,5})?$/i.exec(header ?? '');
  const host = match?.[1] ?? match?.[2];
  return host !== undefined && isLoopbackAddress(host);
}
