import { limits } from '../base/index.ts';
import { linkTarget, readJsonObject, type JsonRules } from '../oci/index.ts';
import { isHead, writeHead, type Exchange } from './exchange.ts';
import { baseHeaders } from './headers.ts';
import { inSlices } from './in-slices.ts';
import type { Repository } from './names.ts';
import { UpstreamError } from './upstream/failure.ts';

/** What a page of a tag list may hold. */
const rules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.tagListValuesMax,
  itemsMax: limits.tagListValuesMax,
  distinctMembers: false,
};

/** The paging that a query asks an upstream for: all of it but `ns`, which is for us. Kept as it is written. */
function pagingOf(query: string): string {
  const isOurs = (part: string): boolean => new URLSearchParams(part).has('ns');
  return query
    .split('&')
    .filter((part) => part !== '' && !isOurs(part))
    .join('&');
}

/** Where in the list a page begins: equal texts mean the same page, whatever its length. Empty: the first page. */
function placeOf(paging: string): string {
  return [...new URLSearchParams(paging)]
    .filter(([name, value]) => name !== 'n' && (name !== 'last' || value !== ''))
    .map((pair) => JSON.stringify(pair))
    .toSorted()
    .join();
}

/** The tags of a list; null when the body is none. An upstream may say null where a repository has no tags left. */
async function tagsIn(body: Uint8Array): Promise<readonly string[] | null> {
  const read = await inSlices(readJsonObject(body, rules));
  if ('problem' in read) return null;
  const tags = read.value.tags ?? [];
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : null;
}

/** The page of a tag list that a client asks for. */
export interface AskedTags {
  /** The image name as the client wrote it. */
  readonly name: string;
  readonly query: string;
}

/**
 * The `Link` to the next page (RFC 8288), as a path of our own: the upstream's cursor is whatever its link has as a query,
 * and is passed on in full, with the token that the client has in its paths. Null when there is no next page. Throws
 * `UpstreamError` for a link that leads back to the page that was asked for, or to the first: a client would never end.
 */
export function nextLink(
  link: string | undefined,
  { name, query }: AskedTags,
  { namespace, pathToken }: Pick<Exchange, 'namespace' | 'pathToken'>,
): string | null {
  const target = linkTarget(link ?? '', 'next');
  if (target === null) return null;
  // The host and the path that the upstream names mean nothing here, but a relative target needs some.
  const url = URL.parse(target, 'http://upstream.invalid/v2/name/tags/list');
  if (url === null) throw new UpstreamError('invalid', 'sent a tag list whose link to the next page is no address');
  const paging = pagingOf(url.search.slice(1));
  const place = placeOf(paging);
  if (place === '' || place === placeOf(pagingOf(query))) {
    throw new UpstreamError('invalid', 'sent a tag list whose next page is the same page, or the first one, again');
  }
  const ours = namespace === undefined ? '' : `&ns=${encodeURIComponent(namespace)}`;
  const prefix = pathToken === undefined ? '' : `wt/${encodeURIComponent(pathToken)}/`;
  const path = `/v2/${prefix}${name}/tags/list?${paging}${ours}`;
  if (path.length > limits.gatewayTargetLengthMax) {
    const found = `expected a path of at most ${limits.gatewayTargetLengthMax} characters, got ${path.length}`;
    throw new UpstreamError('invalid', `sent a tag list whose link to the next page is too long: ${found}`);
  }
  return `<${path}>; rel="next"`;
}

/** Answers a page of a repository's tags, as its upstream has them now. Rejects with `UpstreamError`. */
export async function serveTags(exchange: Exchange, repository: Repository, asked: AskedTags): Promise<void> {
  const page = await repository.upstream.client.listTags(repository.name, pagingOf(asked.query));
  const tags = await tagsIn(page.body);
  if (tags === null) throw new UpstreamError('invalid', 'sent what is no tag list');
  const body = Buffer.from(JSON.stringify({ name: asked.name, tags }), 'utf8');
  const next = nextLink(page.link, asked, exchange);
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
