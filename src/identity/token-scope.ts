import { TonnageError } from '../base/index.ts';

/** The names of an upstream in image names. */
interface ScopeUpstream {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Prefix of names with a single segment (`library` on Docker Hub). */
  readonly singleSegmentPrefix?: string;
}

/** The upstreams that a scope may name. */
export interface ScopeUpstreams {
  readonly upstreams: readonly ScopeUpstream[];
  /** The upstream of image names without an upstream. */
  readonly defaultUpstream?: string;
}

/**
 * Converts a well-formed scope to canonical names, against which pulls are checked: replaces aliases by the upstream's name, and adds
 * the default upstream where none is named, as in image names. Throws `bad_request` for an entry that no pull could match.
 */
export function canonicalScope(scope: readonly string[], known: ScopeUpstreams): readonly string[] {
  return [...new Set(scope.map((each) => canonicalEntry(each, known)))];
}

function canonicalEntry(entry: string, { upstreams, defaultUpstream }: ScopeUpstreams): string {
  const [first = '', ...rest] = entry.split('/');
  const named = upstreams.find(({ name, aliases }) => name === first || aliases.includes(first));
  if (named !== undefined) {
    if (rest.length > 0) return fullName(named, rest);
    throw refused(entry, `a repository of ${first}, such as ${first}/*`, upstreams);
  }
  const fallback = looksLikeHost(first) ? undefined : upstreams.find(({ name }) => name === defaultUpstream);
  if (fallback !== undefined) return fullName(fallback, [first, ...rest]);
  throw refused(entry, 'a configured upstream and a repository', upstreams);
}

function fullName({ name, singleSegmentPrefix }: ScopeUpstream, segments: readonly string[]): string {
  const isShort = segments.length === 1 && segments[0] !== '*' && singleSegmentPrefix !== undefined;
  return [name, ...(isShort ? [singleSegmentPrefix] : []), ...segments].join('/');
}

/** Clients take such a first segment for a host, never for a part of a repository name. */
function looksLikeHost(segment: string): boolean {
  return segment.includes('.') || segment.includes(':') || segment === 'localhost';
}

function refused(entry: string, expected: string, upstreams: readonly ScopeUpstream[]): TonnageError {
  const names = upstreams.length === 0 ? 'none' : upstreams.map(({ name }) => name).join(', ');
  return new TonnageError(
    'bad_request',
    `scope: expected ${expected}, got ${JSON.stringify(entry.slice(0, 80))}; configured upstreams: ${names}`,
  );
}
