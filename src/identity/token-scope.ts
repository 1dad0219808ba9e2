import { TonnageError } from '../base/index.ts';

/** An upstream, as names of images know it. */
interface ScopeUpstream {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Put before names of one segment (`library` at Docker Hub). */
  readonly singleSegmentPrefix?: string;
}

/** What a scope may be about. */
export interface ScopeUpstreams {
  readonly upstreams: readonly ScopeUpstream[];
  /** Name of the upstream of images that name none. */
  readonly defaultUpstream?: string;
}

/**
 * A scope under the names that pulls are checked by: an alias becomes the name of its upstream, and what names no upstream
 * belongs to the default one, as in the names of images. Each entry is well-formed. Throws `bad_request` for one that no
 * pull could ever match.
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
  throw refused(entry, 'an upstream that is configured, and a repository there', upstreams);
}

function fullName({ name, singleSegmentPrefix }: ScopeUpstream, segments: readonly string[]): string {
  const isShort = segments.length === 1 && segments[0] !== '*' && singleSegmentPrefix !== undefined;
  return [name, ...(isShort ? [singleSegmentPrefix] : []), ...segments].join('/');
}

/** A first segment like these is a host in every client, never a part of a repository's name. */
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
