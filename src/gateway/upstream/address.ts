import { isIPv4, isIPv6 } from 'node:net';

/**
 * How far an address reaches. `loopback` < `private` < `public`; `forbidden` is everything that no registry is reached
 * by: link-local addresses (with the metadata services of clouds), multicast, unspecified and reserved ones.
 */
export type AddressClass = 'loopback' | 'private' | 'public' | 'forbidden';

/** The classes that an upstream may have or lead to. */
export type Reachable = Exclude<AddressClass, 'forbidden'>;

const width: Readonly<Record<Reachable, number>> = { loopback: 0, private: 1, public: 2 };

/** Whether a host at an address of class `from` may lead to one of class `to`. */
export function mayLead(from: Reachable, to: AddressClass): boolean {
  return to !== 'forbidden' && width[to] >= width[from];
}

/** The wider of two classes: it opens less. `forbidden` changes nothing. */
export function wider(one: Reachable | undefined, other: AddressClass): Reachable | undefined {
  if (other === 'forbidden') return one;
  return one === undefined || width[other] > width[one] ? other : one;
}

/** Networks by class, from the IANA registries of special-purpose addresses. The first match applies; the rest is public. */
const networks4 = table([
  ['127.0.0.0/8', 'loopback'],
  ['10.0.0.0/8', 'private'],
  ['172.16.0.0/12', 'private'],
  ['192.168.0.0/16', 'private'],
  ['100.100.100.200/32', 'forbidden'], // metadata of Alibaba Cloud, inside the shared space below
  ['100.64.0.0/10', 'private'], // shared by carriers and overlay networks (RFC 6598)
  ['198.18.0.0/15', 'private'], // benchmarks, and stand-in addresses of local proxies (RFC 2544)
  ['0.0.0.0/8', 'forbidden'], // "this host": reaches the machine itself
  ['169.254.0.0/16', 'forbidden'], // link-local, metadata of most clouds
  ['168.63.129.16/32', 'forbidden'], // services of Azure's hosts
  ['192.0.0.0/24', 'forbidden'], // protocol assignments, metadata of Oracle Cloud
  ['224.0.0.0/4', 'forbidden'], // multicast
  ['240.0.0.0/4', 'forbidden'], // reserved, broadcast
]);

const networks6 = table([
  ['::1/128', 'loopback'],
  ['fd00:ec2::254/128', 'forbidden'], // metadata of AWS
  ['fd20:ce::254/128', 'forbidden'], // metadata of Google Cloud
  ['fc00::/7', 'private'], // unique local
  ['fec0::/10', 'private'], // site-local, its predecessor
  ['64:ff9b:1::/48', 'private'], // translation within one network (RFC 8215)
  ['2001::/32', 'forbidden'], // Teredo
  ['2000::/3', 'public'],
  ['::/0', 'forbidden'],
]);

/** IPv6 networks whose addresses stand for the IPv4 address that begins at this byte. */
const embeddings: readonly (readonly [Network, number])[] = [
  [network('::ffff:0:0/96'), 12], // IPv4-mapped
  [network('::ffff:0:0:0/96'), 12], // IPv4-translated (RFC 7915)
  [network('64:ff9b::/96'), 12], // NAT64
  [network('2002::/16'), 2], // 6to4
];

/** The class of an IPv4 or IPv6 address, also in brackets or with a zone; anything else is `forbidden`. */
export function classOf(address: string): AddressClass {
  const bytes = canonicalBytes(address);
  if (bytes === null) return 'forbidden';
  const found = (bytes.length === 4 ? networks4 : networks6).find(([each]) => contains(each, bytes));
  return found?.[1] ?? 'public';
}

/** Whether two texts name the same address, however they are written. */
export function isSameAddress(one: string, other: string): boolean {
  const bytes = canonicalBytes(one);
  const otherBytes = canonicalBytes(other);
  return bytes !== null && otherBytes !== null && Buffer.compare(bytes, otherBytes) === 0;
}

/** Whether an address is in a network (CIDR notation); false where either is none. */
export function isInNetwork(address: string, cidr: string): boolean {
  const bytes = canonicalBytes(address);
  const found = /^[^/]+\/\d{1,3}$/.test(cidr) ? network(cidr) : null;
  return bytes !== null && found !== null && found.bits <= found.bytes.length * 8 && contains(found, bytes);
}

/** An address's bytes; those of an IPv4 address where an IPv6 address stands for one. */
function canonicalBytes(address: string): Uint8Array | null {
  const bytes = bytesOf(address);
  if (bytes?.length !== 16) return bytes;
  const found = embeddings.find(([each]) => contains(each, bytes));
  return found === undefined ? bytes : bytes.subarray(found[1], found[1] + 4);
}

/** 4 or 16 bytes; null for what is no address. */
function bytesOf(address: string): Uint8Array | null {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (isIPv4(bare)) return Uint8Array.from(bare.split('.'), Number);
  if (!isIPv6(bare)) return null;
  // An IPv4 address at the end is two groups.
  const text = bare.replace(/[^:]*\.[^:]*$/, (tail) => {
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = text.split('::');
  const groupsOf = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

interface Network {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

function network(cidr: string): Network {
  const [address = '', bits] = cidr.split('/');
  return { bytes: bytesOf(address) ?? new Uint8Array(), bits: Number(bits) };
}

function table(rows: readonly (readonly [string, AddressClass])[]): readonly (readonly [Network, AddressClass])[] {
  return rows.map(([cidr, name]) => [network(cidr), name]);
}

function contains({ bytes, bits }: Network, address: Uint8Array): boolean {
  if (bytes.length !== address.length) return false;
  for (let index = 0; index * 8 < bits; index++) {
    const unused = Math.max(0, 8 - (bits - index * 8));
    if (((bytes[index] ?? 0) ^ (address[index] ?? 0)) >> unused !== 0) return false;
  }
  return true;
}
