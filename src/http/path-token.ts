/** A request's target without the token in its path. */
export interface CutTarget {
  readonly target: string;
  /** What stood where a token stands; empty where none can be meant. Absent: the path is none with a token. */
  readonly pathToken?: string;
}

const plain = /^\/v2\/wt\/([^/]+)(?=\/)/;
const anyForm = /^\/*v2\/+wt(?:\/+([^/]*)(.*))?$/is;

/**
 * Cuts the token out of `/v2/wt/<token>/...`: called before anything else looks at a request's target, so that routing,
 * logs and metrics never see one. Paths that only resemble this form lose what could be a token, and name none.
 */
export function cutPathToken(target: string): CutTarget {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  const token = plain.exec(path)?.[1];
  if (token !== undefined && !path.includes('%')) {
    const rest = `/v2${path.slice('/v2/wt/'.length + token.length)}`;
    // A second one names no image.
    return anyForm.test(rest) ? { target: '/v2', pathToken: '' } : { target: rest + query, pathToken: token };
  }
  const odd = anyForm.exec(decoded(path));
  if (odd === null) return { target };
  const [, written = '', rest = ''] = odd;
  const isPlain = plain.test(decoded(path)) && !anyForm.test(`/v2${rest}`);
  return { target: `/v2${isPlain ? encoded(rest) : ''}${query}`, pathToken: isPlain ? written : '' };
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
