import { isRepositoryName, OciError } from '../oci/index.ts';
import type { Upstream, UpstreamTable } from './upstreams.ts';

/** A repository at an upstream. `key` identifies it in maps: upstream and name, which contain no spaces. */
export interface Repository {
  readonly upstream: Upstream;
  /** Full name at the upstream. */
  readonly name: string;
  readonly key: string;
}

/** Ways to name the upstream outside of the image's name. Undefined if the client does not use them. */
export interface NameHints {
  /** `X-Registry` request header. */
  readonly header: string | undefined;
  /** `ns` query parameter, which containerd sends. Different values are joined, so they match no upstream. */
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
 * Removes the upstream from the start of a name, once: containerd with `override_path` sends it both in `ns` and in the
 * path. A name of one segment is not changed.
 */
function withoutUpstream(table: UpstreamTable, upstream: Upstream, name: string): string {
  const slash = name.indexOf('/');
  return slash !== -1 && table.find(name.slice(0, slash)) === upstream ? name.slice(slash + 1) : name;
}

/** Every client treats such a first segment as a host, never as a part of the repository's name. */
function looksLikeHost(segment: string): boolean {
  return segment.includes('.') || segment.includes(':') || segment === 'localhost';
}

/**
 * Resolves an image name to a configured upstream and a repository. In this order: the header, the namespace, a first segment
 * that is an upstream's name or alias, a first segment that looks like a host (unknown), the default upstream. Both hints
 * must name configured upstreams, even the one that is overridden. Throws `OciError` (`nameUnknown`, `nameInvalid`).
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
