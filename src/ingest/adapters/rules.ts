import { limits } from '../../base/index.ts';
import { asString } from '../../oci/index.ts';
import type { AdapterSettings } from './contract.ts';

/** Stands for every repository that no other rule is for. */
const anyRepository = '*';

/** The organisation of a repository: that of the longest leading segments that have one. */
export function organisationOf(repository: unknown, { orgs }: AdapterSettings): string | undefined {
  // What is longer is refused by whoever reads the event.
  if (typeof repository !== 'string' || repository.length > limits.repositoryNameLengthMax) return undefined;
  for (let end = repository.length; end > 0; end = repository.lastIndexOf('/', end - 1)) {
    const organisation = orgs.get(repository.slice(0, end));
    if (organisation !== undefined) return organisation;
  }
  return orgs.get(anyRepository);
}

/** Whether what an upstream serves is counted elsewhere, by the host that it was called by or the name that it has here. */
export function isCountedElsewhere(host: unknown, { upstream, ignoreUpstreams }: AdapterSettings): boolean {
  const names = [asString(host)?.toLowerCase(), upstream];
  return names.some((name) => name !== undefined && ignoreUpstreams.includes(name));
}

/** The value of a member, where its sender writes nothing as an empty text. */
export function stated(value: unknown): unknown {
  return value === '' || value === null ? undefined : value;
}

/** The value of a member that has to be there: `null`, which the reader of events takes for none, is refused as nothing is. */
export function required(value: unknown): unknown {
  return value ?? undefined;
}

/** An object without the members that are `undefined`. */
export function present(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The host of `host:port`, of `[address]:port`, or of an address alone, which may have colons of its own. */
export function withoutPort(address: unknown): unknown {
  if (typeof address !== 'string') return address;
  const match = /^\[([^\]]*)\](?::\d*)?$/.exec(address) ?? /^([^:]*):\d*$/.exec(address);
  return match?.[1] ?? address;
}
