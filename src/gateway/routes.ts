import { limits } from '../base/index.ts';
import { OciError, parseDigest, parseReference, type Digest, type Reference } from '../oci/index.ts';

/** A parsed request target. `name` is the image name from the client, which may start with an upstream. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'manifest'; readonly name: string; readonly query: string; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly name: string; readonly query: string; readonly digest: Digest }
  | { readonly kind: 'tags'; readonly name: string; readonly query: string };

const prefix = '/v2/';
const base: Route = { kind: 'base' };

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw new OciError('requestInvalid', 'the path is not percent-encoded UTF-8');
  }
}

/**
 * Parses a path below `/v2/` from its end, because names may have any depth and may contain the words `manifests` and
 * `blobs` themselves. The path is decoded first, so the grammars of names, tags and digests reject encoded characters.
 */
function contentRoute(path: string, query: string): Route {
  const last = path.lastIndexOf('/');
  const middle = path.lastIndexOf('/', last - 1);
  const word = path.slice(middle + 1, last);
  const end = path.slice(last + 1);
  // `/v2/manifests/latest` has no name: its two slashes coincide.
  const name = middle < prefix.length ? '' : path.slice(prefix.length, middle);
  if (word === 'manifests') {
    const reference = parseReference(end);
    if (reference !== null) return { kind: 'manifest', name, query, reference };
    if (end.includes(':')) throw new OciError('digestInvalid', 'expected a digest such as sha256:<64 hex digits>');
    throw new OciError('referenceInvalid', 'expected a tag or a digest after /manifests/');
  }
  if (word === 'blobs') {
    const digest = parseDigest(end);
    if (digest !== null) return { kind: 'blob', name, query, digest };
    throw new OciError('digestInvalid', 'expected a digest such as sha256:<64 hex digits> after /blobs/');
  }
  if (word === 'tags' && end === 'list') return { kind: 'tags', name, query };
  throw new OciError('routeUnknown', 'expected /v2/<name>/manifests/, /v2/<name>/blobs/ or /v2/<name>/tags/list');
}

/**
 * Parses a request line. Throws `OciError`: 405 for methods that write, 404 for unknown routes, 400 for invalid
 * references and digests. Messages never repeat the target.
 */
export function parseRoute(method: string | undefined, target: string | undefined): Route {
  if (method !== 'GET' && method !== 'HEAD') {
    throw new OciError('methodUnsupported', 'this gateway is for pulling: expected GET or HEAD', {
      Allow: 'GET, HEAD',
    });
  }
  if (target === undefined || target.length > limits.gatewayTargetLengthMax) {
    throw new OciError('nameInvalid', `expected a target of at most ${limits.gatewayTargetLengthMax} characters`);
  }
  const mark = target.indexOf('?');
  const path = decoded(mark === -1 ? target : target.slice(0, mark));
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (path === prefix || path === '/v2') return base;
  if (!path.startsWith(prefix)) throw new OciError('routeUnknown', 'expected a path below /v2/');
  return contentRoute(path, query);
}
