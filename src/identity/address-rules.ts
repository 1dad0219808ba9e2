import { isOrganisation, parseAddress, parseNetwork, TonnageError, type Network } from '../base/index.ts';
import type { Principal } from './principal.ts';

/** Clients of this network belong to this organisation, unless they say who they are. */
export interface AddressRule {
  /** A network in CIDR notation. */
  readonly cidr: string;
  readonly org: string;
}

/** Who is at an address, for clients that show no credentials; `undefined` where no rule says. */
export type AddressRules = (address: string) => Principal | undefined;

/**
 * Finds the rule of an address; the one with the longest prefix wins, and of equal ones the first. What it gives is the
 * right to pull, and the organisation. Throws `config_invalid` for what is no network or no organisation.
 */
export function createAddressRules(rules: readonly AddressRule[]): AddressRules {
  const principals = new Map<string, Principal>();
  const prefixes = new Map<number, Set<number>>();
  for (const { cidr, org } of rules) {
    const network = parseNetwork(cidr);
    if (network === undefined || !isOrganisation(org)) {
      throw new TonnageError('config_invalid', `expected a network and an organisation, but came "${cidr}", "${org}"`);
    }
    const key = keyOf(network);
    const principal = { subject: `address:${cidr}`, org, isNetwork: true, rights: new Set(['pull'] as const) } as const;
    if (!principals.has(key)) principals.set(key, Object.freeze(principal));
    prefixes.set(network.bits, (prefixes.get(network.bits) ?? new Set()).add(network.prefix));
  }
  const longestFirst = new Map([...prefixes].map(([bits, lengths]) => [bits, [...lengths].toSorted((a, b) => b - a)]));
  return (text) => {
    const address = principals.size === 0 ? undefined : parseAddress(text);
    if (address === undefined) return undefined;
    for (const prefix of longestFirst.get(address.bits) ?? []) {
      const value = address.value >> BigInt(address.bits - prefix);
      const found = principals.get(keyOf({ bits: address.bits, prefix, value }));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function keyOf({ bits, prefix, value }: Network): string {
  return `${bits}/${prefix}/${value}`;
}
