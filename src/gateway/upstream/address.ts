import { assert, isWithin, parseAddress, parseNetwork, type Address, type Network } from '../../base/index.ts';

/**
 * The scope of an address: `loopback` < `private` < `public`. `forbidden` addresses never serve images: link-local ones
 * (including the metadata services of clouds), multicast, unspecified and reserved ones.
 */
export type AddressClass = 'loopback' | 'private' | 'public' | 'forbidden';

/** The classes that an upstream, or a redirect of it, may have. */
export type Reachable = Exclude<AddressClass, 'forbidden'>;

const width: Readonly<Record<Reachable, number>> = { loopback: 0, private: 1, public: 2 };

/** Whether a host at an address of class `from` may redirect to an address of class `to`. */
export function mayLead(from: Reachable, to: AddressClass): boolean {
  return to !== 'forbidden' && width[to] >= width[from];
}

/** Returns the wider of two classes, which permits fewer targets. `forbidden` is ignored. */
export function wider(one: Reachable | undefined, other: AddressClass): Reachable | undefined {
  if (other === 'forbidden') return one;
  return one === undefined || width[other] > width[one] ? other : one;
}

/** Networks by class, from the IANA registries of special-purpose addresses. The first match applies. */
const classes: readonly (readonly [Network, AddressClass])[] = [
  [network('127.0.0.0/8'), 'loopback'],
  [network('10.0.0.0/8'), 'private'],
  [network('172.16.0.0/12'), 'private'],
  [network('192.168.0.0/16'), 'private'],
  [network('100.100.100.200'), 'forbidden'], // metadata of Alibaba Cloud, inside the shared space below
  [network('100.64.0.0/10'), 'private'], // shared by carriers and overlay networks (RFC 6598)
  [network('198.18.0.0/15'), 'private'], // benchmarks, and stand-in addresses of local proxies (RFC 2544)
  [network('0.0.0.0/8'), 'forbidden'], // "this host": reaches the machine itself
  [network('169.254.0.0/16'), 'forbidden'], // link-local, metadata of most clouds
  [network('168.63.129.16'), 'forbidden'], // services of Azure's hosts
  [network('192.0.0.0/24'), 'forbidden'], // protocol assignments, metadata of Oracle Cloud
  [network('224.0.0.0/4'), 'forbidden'], // multicast
  [network('240.0.0.0/4'), 'forbidden'], // reserved, broadcast
  [network('0.0.0.0/0'), 'public'],
  [network('::1'), 'loopback'],
  [network('fd00:ec2::254'), 'forbidden'], // metadata of AWS
  [network('fd20:ce::254'), 'forbidden'], // metadata of Google Cloud
  [network('fc00::/7'), 'private'], // unique local
  [network('fec0::/10'), 'private'], // site-local, its predecessor
  [network('64:ff9b:1::/48'), 'private'], // translation within one network (RFC 8215)
  [network('2001::/32'), 'forbidden'], // Teredo
  [network('2000::/3'), 'public'],
];

/** IPv6 networks whose addresses embed an IPv4 address, and the number of bits after it. */
const embeddings: readonly (readonly [Network, bigint])[] = [
  [network('::ffff:0:0:0/96'), 0n], // IPv4-translated (RFC 7915)
  [network('64:ff9b::/96'), 0n], // NAT64
  [network('2002::/16'), 80n], // 6to4
];

function network(cidr: string): Network {
  const parsed = parseNetwork(cidr);
  assert(parsed, `${cidr} is a network`);
  return parsed;
}

/** Classifies an IPv4 or IPv6 address, optionally with brackets or a zone. Any other string is `forbidden`. */
export function classOf(text: string): AddressClass {
  const address = canonical(text);
  return (address && classes.find(([each]) => isWithin(address, each))?.[1]) ?? 'forbidden';
}

/** Whether two strings denote the same address in any notation. */
export function isSameAddress(one: string, other: string): boolean {
  const [first, second] = [canonical(one), canonical(other)];
  return first !== undefined && first.bits === second?.bits && first.value === second.value;
}

/** Whether an address is in a network (CIDR notation); false if either is invalid. */
export function isInNetwork(text: string, cidr: string): boolean {
  const address = canonical(text);
  const found = cidr.includes('/') ? parseNetwork(cidr) : undefined;
  return address !== undefined && found !== undefined && isWithin(address, found);
}

/** The parsed address, or the IPv4 address that it embeds. */
function canonical(text: string): Address | undefined {
  const address = parseAddress(text.replace(/^\[(.*)\]$/, '$1'));
  const found = address && embeddings.find(([each]) => isWithin(address, each));
  return address && found ? { bits: 32, value: (address.value >> found[1]) & 0xffff_ffffn } : address;
}
