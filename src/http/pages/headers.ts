import type { SourcePage } from '../../collector/index.ts';

/**
 * The headers that state how old a page is and how long clients may use it. `shared`: also caches that several clients
 * use may keep it.
 *
 * A page is fresh until the next read of its sources. `Age` appears once a snapshot is older than its interval: its
 * source cannot be read, or reading takes longer than that.
 */
export function freshnessHeaders(
  { taken, staleMs, nextReadMs }: SourcePage,
  { shared }: { readonly shared: boolean },
): Readonly<Record<string, string>> {
  const maxAge = staleMs === undefined ? wholeSeconds(nextReadMs) : 0;
  return {
    'cache-control': `${shared ? 'public' : 'private'}, max-age=${maxAge}`,
    ...(taken !== undefined && { 'last-modified': new Date(taken.newest).toUTCString() }),
    ...(staleMs !== undefined && { age: String(wholeSeconds(staleMs)) }),
  };
}

/** How long a client should wait for the first snapshot of a page, in seconds. */
export function retryAfterSeconds({ nextReadMs }: SourcePage): number {
  return Math.max(1, Math.ceil(nextReadMs / 1000));
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
