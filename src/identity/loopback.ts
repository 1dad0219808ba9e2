import { isIPv4 } from 'node:net';

/** Whether only this machine can reach a listener on this host or address: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopbackAddress(host: string): boolean {
  const address = host.toLowerCase().replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/**
 * Whether a `Host` header names a loopback host, with or without a port. A page of another site can make a browser send
 * requests here with its own name as Host (DNS rebinding), but not with a loopback name.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::[0-9]{0,5})?$/i.exec(header ?? '');
  const host = match?.[1] ?? match?.[2];
  return host !== undefined && isLoopbackAddress(host);
}
