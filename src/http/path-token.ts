import { withoutTokens } from '../identity/index.ts';

export interface CutTarget {
  /** The request target without the token. */
  readonly target: string;
  /** The token; empty if it is malformed. Absent: the path has no token. */
  readonly pathToken?: string;
}

const plain = /^\/v2\/wt\/([^/]+)(\/.*)$/s;
const anyForm = /^\/*v2\/+wt(?:\/|$)/i;
const gatewayForm = /^\/*v2\//i;
const malformed: CutTarget = { target: '/v2', pathToken: '' };

/**
 * Cuts the token out of `/v2/wt/<token>/...`. Call it before anything else uses the request's target, so that routing,
 * logs, metrics and upstreams never see a token. A path that only resembles this form is replaced by `/v2`.
 */
export function cutPathToken(target: string): CutTarget {
  const mark = target.indexOf('?');
  const written = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  const path = decoded(written);
  if (!anyForm.test(path)) return gatewayForm.test(path) && hasToken(path) ? malformed : { target };
  const [, pathToken, rest] = plain.exec(path) ?? [];
  // A second token is never part of an image's name.
  if (pathToken === undefined || rest === undefined || anyForm.test(`/v2${rest}`) || hasToken(rest)) return malformed;
  return { target: `/v2${written === path ? rest : encoded(rest)}${query}`, pathToken };
}

/** Returns the path of a target without its query and tokens. The path stays percent-encoded unless it contains a token. */
export function pathForLog(target: string): string {
  const [path = ''] = target.split('?', 1);
  const readable = decoded(path);
  return hasToken(readable) ? withoutTokens(readable) : path;
}

/** Whether the path contains a token anywhere; in a wrong place, it would pass as part of an image's name. */
function hasToken(path: string): boolean {
  return withoutTokens(path) !== path;
}

/** Decodes percent-encoding. A path with invalid encoding is rejected later; here it is decoded byte by byte. */
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
