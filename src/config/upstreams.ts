import { isHostLike } from './names.ts';

/** What is known of hosts that need more than their name. Others are at `https://NAME`. */
const wellKnown: Readonly<Record<string, { readonly url: string; readonly aliases: readonly string[] }>> = {
  // Docker Hub's images are named docker.io or index.docker.io, but served elsewhere.
  'docker.io': { url: 'https://registry-1.docker.io', aliases: ['index.docker.io', 'registry-1.docker.io'] },
};

/** The upstreams that there are when none are configured. */
export const defaultUpstreamNames = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'registry.k8s.io',
  'mcr.microsoft.com',
  'gcr.io',
  'public.ecr.aws',
] as const;

/** Where an upstream is: as stated, as known, or at its name where that is a host; `undefined` when nobody says. */
export function urlOfUpstream(name: string, stated: string | undefined): string | undefined {
  return stated ?? wellKnown[name]?.url ?? (isHostLike(name) ? `https://${name}` : undefined);
}

/** An upstream's further names: as stated, else those that are known. */
export function aliasesOfUpstream(name: string, stated: readonly string[] | undefined): readonly string[] {
  return stated ?? wellKnown[name]?.aliases ?? [];
}
