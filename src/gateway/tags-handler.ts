import { parseJsonObject } from '../oci/index.ts';
import { isHead, writeHead, type Exchange } from './exchange.ts';
import { baseHeaders } from './headers.ts';
import type { Repository } from './names.ts';
import { UpstreamError } from './upstream/failure.ts';

/** Query parameters of a tag list that mean something to upstreams; the others are for us, or for nobody. */
const pagingParameters = ['n', 'last', 'next_page'] as const;

function pagingOf(query: URLSearchParams): URLSearchParams {
  const paging = new URLSearchParams();
  for (const name of pagingParameters) {
    const value = query.get(name);
    if (value !== null) paging.set(name, value);
  }
  return paging;
}

/** The tags of a list; null when the body is none. An upstream may say null where a repository has no tags left. */
function tagsIn(body: Uint8Array): readonly string[] | null {
  const list = parseJsonObject(body);
  if (list === null) return null;
  const tags = list.tags ?? [];
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : null;
}

/**
 * The `Link` to the next page (RFC 8288), as a path of our own: only its paging is taken over, whatever host and path
 * the upstream named, and with the token that the client has in its paths. Null when there is no next page.
 */
export function nextLink(
  link: string | undefined,
  name: string,
  { namespace, pathToken }: Pick<Exchange, 'namespace' | 'pathToken'>,
): string | null {
  const target = /<([^<>]*)>\s*;[^,<]*\brel\s*=\s*"?next"?/i.exec(link ?? '')?.[1];
  const url = target === undefined ? null : URL.parse(target, 'http://upstream.invalid');
  if (url === null) return null;
  const query = pagingOf(url.searchParams);
  if (namespace !== undefined) query.set('ns', namespace);
  const prefix = pathToken === undefined ? '' : `wt/${encodeURIComponent(pathToken)}/`;
  return `</v2/${prefix}${name}/tags/list?${query.toString()}>; rel="next"`;
}

/**
 * Answers a page of a repository's tags, as its upstream has them now. `name` is the image name as the client wrote it:
 * it stands in the answer, and in the link to the next page. Rejects with `UpstreamError`.
 */
export async function serveTags(
  exchange: Exchange,
  repository: Repository,
  name: string,
  query: URLSearchParams,
): Promise<void> {
  const page = await repository.upstream.client.listTags(repository.name, pagingOf(query));
  const tags = tagsIn(page.body);
  if (tags === null) throw new UpstreamError('invalid', 'sent what is no tag list');
  const body = Buffer.from(JSON.stringify({ name, tags }), 'utf8');
  const next = nextLink(page.link, name, exchange);
  writeHead(exchange, 200, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'private, no-cache',
    ...(next === null ? [] : ['Link', next]),
    ...baseHeaders,
  ]);
  const head = isHead(exchange);
  exchange.response.end(head ? undefined : body);
  repository.upstream.meters.answers('tags', 'miss').whole(exchange.startedMs, head ? 0 : body.byteLength);
}
