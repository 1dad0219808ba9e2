import { isIPv4, isIPv6 } from 'node:net';

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
 * Reads an IPv4 or IPv6 address, as a socket or a header has it: a zone (`fe80::1%eth0`) is left out. An IPv4 address in
 * its IPv6 form (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is the IPv4 address. `undefined` when it is none.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: valueOf(text.split('.').map(Number), 8n) };
  const plain = text.replace(/%.*$/s, '');
  if (!isIPv6(plain)) return undefined;
  const value = valueOf(groupsOf(plain), 16n);
  return value >> 32n === mappedPrefix ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

/** An address as logs and counts have it: an IPv4 address that comes in its IPv6 form, as on a socket for both, without that. */
export function plainAddress(text: string): string {
  return text.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * Reads a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3): `10.1.0.0/16`, `2001:db8::/32`; an
 * address alone is a network of one. Bits behind the prefix are of no account. `undefined` when it is none.
 */
export function parseNetwork(text: string): Network | undefined {
  const [, host = '', length] = /^([0-9A-Fa-f.:]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  const written = isIPv4(host) ? 32 : 128;
  const stated = length === undefined ? written : Number(length);
  // A network of mapped addresses is one of IPv4 addresses, as long as it holds no others.
  const prefix = stated - (written - address.bits);
  if (stated > written || prefix < 0) return undefined;
  return { bits: address.bits, prefix, value: address.value >> BigInt(address.bits - prefix) };
}

/** Whether an address is one of a network. */
export function isWithin(address: Address, { bits, prefix, value }: Network): boolean {
  return address.bits === bits && address.value >> BigInt(bits - prefix) === value;
}

/** The eight groups of a valid IPv6 address; its last two may be written as an IPv4 address. */
function groupsOf(text: string): readonly number[] {
  const hex = text.replace(/[0-9.]+$/, (last) => (last.includes('.') ? hexOfIpv4(last) : last));
  const [head = '', tail] = hex.split('::');
  const before = numbersOf(head);
  if (tail === undefined) return before;
  const after = numbersOf(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function hexOfIpv4(text: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function numbersOf(groups: string): readonly number[] {
  return groups === '' ? [] : groups.split(':').map((group) => Number.parseInt(group, 16));
}

function valueOf(parts: readonly number[], width: bigint): bigint {
  return parts.reduce((value, part) => (value << width) | BigInt(part), 0n);
}
