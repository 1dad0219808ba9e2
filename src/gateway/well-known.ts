/** An upstream that needs no more than its name to be configured. */
export interface WellKnownUpstream {
  readonly url: string;
  readonly aliases?: readonly string[];
  /** First segment that the upstream's own clients put before names of one segment. */
  readonly singleSegmentPrefix?: string;
  /** Origin of its token endpoint, where that gets credentials under all of its hosts. */
  readonly realm?: string;
  /** Further hosts at which it answers. */
  readonly hosts?: readonly string[];
}

/** Upstreams that everybody pulls from, by name. Docker Hub answers at another host than its images are named by. */
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

/** Whether the host is one of the well-known upstreams', which are spoken to by https only. */
export function isWellKnownHost(host: string): boolean {
  return hosts.has(host);
}

/** The token endpoint of the well-known upstream that is called so or that answers at this host. */
export function wellKnownRealm(name: string, host: string): string | undefined {
  const found = Object.entries(wellKnownUpstreams).find(
    ([known, { url, hosts: others = [] }]) => known === name || new URL(url).host === host || others.includes(host),
  );
  return found?.[1].realm;
}
