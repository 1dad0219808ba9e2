import { withoutTokens } from '../identity/index.ts';

/** A request's target without the token in its path. */
export interface CutTarget {
  readonly target: string;
  /** What stood where a token stands; empty where none can be meant. Absent: the path is none with a token. */
  readonly pathToken?: string;
}

const plain = /^\/v2\/wt\/([^/]+)(\/.*)$/s;
const anyForm = /^\/*v2\/+wt(?:\/|$)/i;
const gatewayForm = /^\/*v2\//i;
const nobody: CutTarget = { target: '/v2', pathToken: '' };

/**
 * Cuts the token out of `/v2/wt/<token>/...`: called before anything else looks at a request's target, so that routing,
 * logs, metrics and upstreams never see one. Paths that only resemble this form lose what could be a token, and name none.
 */
export function cutPathToken(target: string): CutTarget {
  const mark = target.indexOf('?');
  const written = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  const path = decoded(written);
  if (!anyForm.test(path)) return gatewayForm.test(path) && hasToken(path) ? nobody : { target };
  const [, pathToken, rest] = plain.exec(path) ?? [];
  // A second token names no image.
  if (pathToken === undefined || rest === undefined || anyForm.test(`/v2${rest}`) || hasToken(rest)) return nobody;
  return { target: `/v2${written === path ? rest : encoded(rest)}${query}`, pathToken };
}

/** The path of a target without query and tokens: as it was written, unless that hides a token. */
export function pathForLog(target: string): string {
  const [path = ''] = target.split('?', 1);
  const readable = decoded(path);
  return hasToken(readable) ? withoutTokens(readable) : path;
}

/** One of ours in a place where it does not belong would be a part of a name to everybody after us. */
function hasToken(path: string): boolean {
  return withoutTokens(path) !== path;
}

/** A path that is not valid percent-encoding is refused further on; until then it is looked at as it is. */
function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replaceAll(/%[0-9a-f]{2}/gi, (escape) => String.fromCodePoint(Number.parseInt(escape.slice(1), 16)));
  }
}

function encoded(path: string): string {
  return encodeURI(path.replaceAll(/[\uD800-\uDFFF]/g, '\uFFFD'))
    .replaceAll('?', '%3F')
    .replaceAll('#', '%23');
}
