import { isRepositoryName, OciError } from '../oci/index.ts';
import type { Upstream, UpstreamTable } from './upstreams.ts';

/** One repository at one upstream. `key` names both, for maps: neither part can hold the space between them. */
export interface Repository {
  readonly upstream: Upstream;
  /** Full name at the upstream. */
  readonly name: string;
  readonly key: string;
}

/** Where a client may say which upstream it means, beside the name itself. Undefined: it says nothing. */
export interface NameHints {
  /** `X-Registry` request header. */
  readonly header: string | undefined;
  /** `ns` query parameter, as containerd sends it. Several different ones, joined, are the name of nothing. */
  readonly namespace: string | undefined;
}

function repositoryOf(upstream: Upstream, name: string): Repository {
  if (!isRepositoryName(name)) {
    throw new OciError(
      'nameInvalid',
      'expected a repository name of lower-case letters, digits, separators and slashes',
    );
  }
  const full =
    upstream.singleSegmentPrefix === undefined || name.includes('/') ? name : `${upstream.singleSegmentPrefix}/${name}`;
  return { upstream, name: full, key: `${upstream.name} ${full}` };
}

function unknownUpstream(table: UpstreamTable): OciError {
  const names = table.names.length === 0 ? 'none' : table.names.join(', ');
  return new OciError('nameUnknown', `the image names an upstream that is not configured; configured: ${names}`);
}

function hinted(table: UpstreamTable, hint: string): Upstream {
  const upstream = table.find(hint);
  if (upstream === undefined) throw unknownUpstream(table);
  return upstream;
}

/**
 * Cuts the upstream's name off a path that begins with it, once. containerd with `override_path` sends `ns` and the name in
 * the path. A name of one segment stays as it is.
 */
function withoutUpstream(table: UpstreamTable, upstream: Upstream, name: string): string {
  const slash = name.indexOf('/');
  return slash !== -1 && table.find(name.slice(0, slash)) === upstream ? name.slice(slash + 1) : name;
}

/** A first segment like these is a host in every client, never a part of a repository's name. */
function looksLikeHost(segment: string): boolean {
  return segment.includes('.') || segment.includes(':') || segment === 'localhost';
}

/**
 * Finds the upstream and repository that an image name means. Both hints must name upstreams, whichever applies. In
 * order: the header, the namespace, a first segment that
 * is an upstream's name or alias, a first segment that looks like a host (unknown, then), the default upstream. Only
 * configured upstreams are ever answered. Throws `OciError` (`nameUnknown`, `nameInvalid`).
 */
export function resolveName(table: UpstreamTable, name: string, hints: NameHints): Repository {
  const byHeader = hints.header === undefined ? undefined : hinted(table, hints.header);
  const byNamespace = hints.namespace === undefined ? undefined : hinted(table, hints.namespace);
  const upstream = byHeader ?? byNamespace;
  if (upstream !== undefined) {
    return repositoryOf(upstream, upstream === byNamespace ? withoutUpstream(table, upstream, name) : name);
  }
  const slash = name.indexOf('/');
  const first = slash === -1 ? name : name.slice(0, slash);
  const named = table.find(first);
  if (named !== undefined) return repositoryOf(named, slash === -1 ? '' : name.slice(slash + 1));
  if (looksLikeHost(first)) throw isHostName(first) ? unknownUpstream(table) : invalidHost();
  if (table.fallback === undefined) {
    if (!isRepositoryName(name)) throw new OciError('nameInvalid', 'expected a repository name');
    throw new OciError('nameUnknown', 'the image names no upstream, and there is no default upstream');
  }
  return repositoryOf(table.fallback, name);
}

function isHostName(segment: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?$/.test(segment);
}

function invalidHost(): OciError {
  return new OciError('nameInvalid', 'the first part of the name is neither a host nor a part of a repository name');
}
