/** An upstream that needs no configuration except its name. */
interface WellKnownUpstream {
  readonly url: string;
  readonly aliases?: readonly string[];
  /** First segment that clients add to names of one segment. */
  readonly singleSegmentPrefix?: string;
  /** Origin of its token endpoint, if that is on another domain. */
  readonly realm?: string;
  /** Other hosts of this upstream. */
  readonly hosts?: readonly string[];
}

/** Popular upstreams by name. Docker Hub's API has another host than its image names. */
export const wellKnownUpstreams: Readonly<Record<string, WellKnownUpstream>> = {
  'docker.io': {
    url: 'https://registry-1.docker.io',
    aliases: ['index.docker.io', 'registry-1.docker.io'],
    singleSegmentPrefix: 'library',
    realm: 'https://auth.docker.io',
    hosts: ['index.docker.io', 'registry.hub.docker.com', 'registry.docker.io'],
  },
  'ghcr.io': { url: 'https://ghcr.io' },
  'quay.io': { url: 'https://quay.io' },
  'registry.k8s.io': { url: 'https://registry.k8s.io' },
  'mcr.microsoft.com': { url: 'https://mcr.microsoft.com' },
  'gcr.io': { url: 'https://gcr.io' },
  'public.ecr.aws': { url: 'https://public.ecr.aws' },
};

const hosts: ReadonlySet<string> = new Set(Object.values(wellKnownUpstreams).map(({ url }) => new URL(url).host));

/** Whether the host belongs to a well-known upstream. Those require https. */
export function isWellKnownHost(host: string): boolean {
  return hosts.has(host);
}

/** Returns the token endpoint of the well-known upstream with this name or host, if it is on another domain. */
export function wellKnownRealm(name: string, host: string): string | undefined {
  const found = Object.entries(wellKnownUpstreams).find(
    ([known, { url, hosts: others = [] }]) => known === name || new URL(url).host === host || others.includes(host),
  );
  return found?.[1].realm;
}
