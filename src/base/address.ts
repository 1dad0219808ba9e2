/** An IP address as a number of 32 or 128 bits. */
export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** All addresses whose first `prefix` bits are these. */
export interface Network {
  readonly bits: 32 | 128;
  readonly prefix: number;
  /** The first `prefix` bits, as a number. */
  readonly value: bigint;
}

const mappedPrefix = 0xffffn;

/**
 * Parses an IPv4 or IPv6 address as sockets and headers write it, without its zone (`fe80::1%eth0`). An IPv4 address in
 * IPv6 form (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is the IPv4 address. `undefined` for any other text.
 *
 * Our own, because `base` imports no package. `ipaddr.js` also reads octal, hexadecimal and shortened forms, which
 * differ between programs.
 */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = ipv4Value(text);
  if (ipv4 !== undefined) return { bits: 32, value: ipv4 };
  const value = ipv6Value(text.replace(/%.*$/s, ''));
  if (value === undefined) return undefined;
  return value >> 32n === mappedPrefix ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** An address for logs and counts: an IPv4 address in IPv6 form (of a dual-stack socket) becomes the IPv4 address. */
export function plainAddress(text: string): string {
  return text.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * Parses a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3): `10.1.0.0/16`, `2001:db8::/32`. An
 * address alone is a network of one. Bits behind the prefix are ignored. `undefined` for any other text.
 */
export function parseNetwork(text: string): Network | undefined {
  const [, host = '', length] = /^([0-9A-Fa-f.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  const written = host.includes(':') ? 128 : 32;
  const stated = length === undefined ? written : Number(length);
  // A network of mapped addresses is one of IPv4 addresses, as long as it holds no others.
  const prefix = stated - (written - address.bits);
  if (stated > written || prefix < 0) return undefined;
  return { bits: address.bits, prefix, value: address.value >> BigInt(address.bits - prefix) };
}

/** Whether an address is in a network. */
export function isWithin(address: Address, { bits, prefix, value }: Network): boolean {
  return address.bits === bits && address.value >> BigInt(bits - prefix) === value;
}

function ipv4Value(text: string): bigint | undefined {
  const parts = text.split('.');
  const isValid = parts.length === 4 && parts.every((part) => Number(part) <= 255 && String(Number(part)) === part);
  return isValid ? parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) : undefined;
}

function ipv6Value(text: string): bigint | undefined {
  // URLs have one form for each address: groups without leading zeros, and no embedded IPv4 address.
  const host = /^[0-9a-f:.]+$/i.test(text) ? URL.parse(`http://[${text}]`)?.hostname : undefined;
  if (host === undefined) return undefined;
  const [before = [], after = []] = host
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}
