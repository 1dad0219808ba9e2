/** What is asked of an upstream's repository, as metrics call it. */
export type ContentKind = 'manifest' | 'blob' | 'tags';

/**
 * Where an answer came from: `hit` from the cache alone; `revalidated` from the cache, after the upstream has confirmed
 * the tag; `stale` from the cache, since the upstream failed; `coalesced` out of a fetch that another request had begun;
 * `miss` fetched for this request; `bypass` fetched for this request and not kept; `failed` no content, but an error.
 */
export type CacheOutcome = 'hit' | 'revalidated' | 'stale' | 'coalesced' | 'miss' | 'bypass' | 'failed';
