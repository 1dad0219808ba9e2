import { limits } from '../base/index.ts';
import { linkTarget, readJsonObject, type JsonRules } from '../oci/index.ts';
import { isHead, writeHead, type Exchange } from './exchange.ts';
import { jsonHeaders } from './headers.ts';
import { inSlices } from './in-slices.ts';
import type { Repository } from './names.ts';
import { UpstreamError } from './upstream/failure.ts';

/** Limits of a page of a tag list. */
const rules: JsonRules = {
  depthMax: limits.jsonDepthMax,
  valuesMax: limits.tagListValuesMax,
  itemsMax: limits.tagListValuesMax,
  distinctMembers: false,
};

/** The query for the upstream: all parameters, unchanged, except `ns`, which is for the gateway. */
function pagingOf(query: string): string {
  const isNamespace = (part: string): boolean => new URLSearchParams(part).has('ns');
  return query
    .split('&')
    .filter((part) => part !== '' && !isNamespace(part))
    .join('&');
}

/** A key for the start of a page: equal keys mean the same start, whatever the length. Empty for the first page. */
function placeOf(paging: string): string {
  return [...new URLSearchParams(paging)]
    .filter(([name, value]) => name !== 'n' && (name !== 'last' || value !== ''))
    .map((pair) => JSON.stringify(pair))
    .toSorted()
    .join();
}

/** Parses a tag list; null if it is invalid. Some upstreams send `null` for a repository without tags. */
async function tagsIn(body: Uint8Array): Promise<readonly string[] | null> {
  const parsed = await inSlices(readJsonObject(body, rules));
  if ('problem' in parsed) return null;
  const tags = parsed.value.tags ?? [];
  return Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') ? tags : null;
}

/** A client's request for a page of a tag list. */
interface TagsRequest {
  /** The image name from the client. */
  readonly name: string;
  readonly query: string;
}

/**
 * Returns the `Link` to the next page (RFC 8288) as a path of this gateway, or null. The query of the upstream's link
 * is its cursor and is passed on unchanged; the client's path token is added. Throws `UpstreamError` for a link to the
 * requested page or the first one, because the client would loop for ever.
 */
export function nextLink(
  link: string | undefined,
  { name, query }: TagsRequest,
  { namespace, pathToken }: Pick<Exchange, 'namespace' | 'pathToken'>,
): string | null {
  const target = linkTarget(link ?? '', 'next');
  if (target === null) return null;
  // Only the query matters, but a relative target needs a base.
  const url = URL.parse(target, 'http://upstream.invalid/v2/name/tags/list');
  if (url === null) throw new UpstreamError('invalid', 'sent a tag list whose link to the next page is not a URL');
  const paging = pagingOf(url.search.slice(1));
  const place = placeOf(paging);
  if (place === '' || place === placeOf(pagingOf(query))) {
    throw new UpstreamError('invalid', 'sent a tag list whose next page is the same page or the first one');
  }
  const ns = namespace === undefined ? '' : `&ns=${encodeURIComponent(namespace)}`;
  const prefix = pathToken === undefined ? '' : `wt/${encodeURIComponent(pathToken)}/`;
  const path = `/v2/${prefix}${name}/tags/list?${paging}${ns}`;
  if (path.length > limits.gatewayTargetLengthMax) {
    const found = `expected a path of at most ${limits.gatewayTargetLengthMax} characters, got ${path.length}`;
    throw new UpstreamError('invalid', `sent a tag list whose link to the next page is too long: ${found}`);
  }
  return `<${path}>; rel="next"`;
}

/** Answers a page of a repository's tags, which is never cached. Rejects with `UpstreamError`. */
export async function serveTags(exchange: Exchange, repository: Repository, request: TagsRequest): Promise<void> {
  const page = await repository.upstream.client.listTags(repository.name, pagingOf(request.query));
  const tags = await tagsIn(page.body);
  if (tags === null) throw new UpstreamError('invalid', 'sent an invalid tag list');
  const body = Buffer.from(JSON.stringify({ name: request.name, tags }), 'utf8');
  const next = nextLink(page.link, request, exchange);
  const more = ['Cache-Control', 'private, no-cache', ...(next === null ? [] : ['Link', next])];
  writeHead(exchange, 200, jsonHeaders(body.byteLength, ...more));
  const head = isHead(exchange);
  exchange.response.end(head ? undefined : body);
  repository.upstream.meters.answers('tags', 'miss').whole(exchange.startedMs, head ? 0 : body.byteLength);
}
