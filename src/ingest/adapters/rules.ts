import { limits } from '../../base/index.ts';
import { asString } from '../../oci/index.ts';
import type { AdapterSettings } from './contract.ts';

/** Matches every repository without its own rule. */
const anyRepository = '*';

/** The configured organisation of a repository. The longest matching prefix of segments wins. */
export function organisationOf(repository: unknown, { orgs }: AdapterSettings): string | undefined {
  // The event reader refuses longer names.
  if (typeof repository !== 'string' || repository.length > limits.repositoryNameLengthMax) return undefined;
  for (let end = repository.length; end > 0; end = repository.lastIndexOf('/', end - 1)) {
    const organisation = orgs.get(repository.slice(0, end));
    if (organisation !== undefined) return organisation;
  }
  return orgs.get(anyRepository);
}

/** Whether the gateway counts the pulls of this upstream, by the host in the notification or its configured name. */
export function isCountedElsewhere(host: unknown, { upstream, ignoreUpstreams }: AdapterSettings): boolean {
  const names = [asString(host)?.toLowerCase(), upstream];
  return names.some((name) => name !== undefined && ignoreUpstreams.includes(name));
}

/** The value of a member; `undefined` if it is empty or `null`. */
export function stated(value: unknown): unknown {
  return value === '' || value === null ? undefined : value;
}

/** The value of a required member. Converts `null`, which the event reader would accept as absent, to `undefined`. */
export function required(value: unknown): unknown {
  return value ?? undefined;
}

/** An object without the members that are `undefined`. */
export function present(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The host of `host:port` or `[address]:port`; an IPv6 address without port is unchanged. */
export function withoutPort(address: unknown): unknown {
  if (typeof address !== 'string') return address;
  const match = /^\[([^\]]*)\](?::\d*)?$/.exec(address) ?? /^([^:]*):\d*$/.exec(address);
  return match?.[1] ?? address;
}
