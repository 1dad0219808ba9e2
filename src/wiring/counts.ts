import type { Egress, Pull } from '../gateway/index.ts';
import type { Count } from '../ledger/index.ts';
import { canonicalArch, type DimensionValues } from '../usage/index.ts';

/** The counts of a pull: 1 for the meter `pulls`, and 1 for `fusion` if it is a Fusion image. */
export function countsOfPull(pull: Pull): readonly Count[] {
  const arch = canonicalArch(pull.arch);
  const dimensions = { ...dimensionsOf(pull), ...(arch !== undefined && { arch }) };
  const counts: Count[] = [{ meter: 'pulls', dimensions, quantity: 1n }];
  if (pull.fusion) counts.push({ meter: 'fusion', dimensions, quantity: 1n });
  return counts;
}

/** The count of the bytes that the gateway sent, for the meter `egress_bytes`. */
export function countOfEgress(egress: Egress): Count {
  return { meter: 'egress_bytes', dimensions: dimensionsOf(egress), quantity: BigInt(egress.bytes) };
}

/** Dimensions of the client and the upstream. An unknown client has no value. */
function dimensionsOf({ principal, upstream, repository, tag, client }: Pull | Egress): DimensionValues {
  const org = principal?.org;
  return {
    ...(org !== undefined && { org }),
    upstream,
    repository,
    ...(tag !== undefined && { tag }),
    ...(principal && { user: principal.subject }),
    ...(client !== '' && { client }),
  };
}
