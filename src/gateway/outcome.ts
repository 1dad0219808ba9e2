/** Kinds of content in a repository: values of the label `route`. */
export type ContentKind = 'manifest' | 'blob' | 'tags';

/**
 * The source of a response: values of the label `cache`.
 * - `hit`: the cache
 * - `revalidated`: the cache, after the upstream confirmed the tag
 * - `stale`: the cache, because the upstream failed
 * - `coalesced`: a fetch that another request started
 * - `miss`: fetched for this request
 * - `bypass`: fetched for this request and not cached
 * - `failed`: no content, but an error
 */
export type CacheOutcome = 'hit' | 'revalidated' | 'stale' | 'coalesced' | 'miss' | 'bypass' | 'failed';
