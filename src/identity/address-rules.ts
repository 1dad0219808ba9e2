import { isOrganisation, parseAddress, parseNetwork, TonnageError, type Network } from '../base/index.ts';
import type { Principal } from './principal.ts';

/** Clients of this network without credentials belong to this organisation. */
export interface AddressRule {
  /** A network in CIDR notation. */
  readonly cidr: string;
  readonly org: string;
}

/** The principal for an address, for clients without credentials; `undefined` if no rule matches. */
export type AddressRules = (address: string) => Principal | undefined;

/**
 * Creates the lookup of rules by address. The longest prefix wins, and among equal ones the first. The principal has
 * the organisation and the right to pull. Throws `config_invalid` for an invalid network or organisation.
 */
export function createAddressRules(rules: readonly AddressRule[]): AddressRules {
  const principals = new Map<string, Principal>();
  const prefixes = new Map<number, Set<number>>();
  for (const { cidr, org } of rules) {
    const network = parseNetwork(cidr);
    if (network === undefined || !isOrganisation(org)) {
      throw new TonnageError('config_invalid', `expected a network and an organisation, got "${cidr}", "${org}"`);
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
