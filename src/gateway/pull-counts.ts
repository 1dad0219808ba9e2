import { labelSet, type CounterPoint, type LabelSet, type MetricFamily } from '../metric/index.ts';
import type { CacheOutcome } from './outcome.ts';

/** A count by source: answered without a manifest request to the upstream, or with one. */
interface CountBySource {
  cached: number;
  upstream: number;
}

/**
 * Manifest requests of one upstream. Plain numbers, because a total must equal the sum of its parts in every scrape:
 * the families are built from them in one step, and the total is never counted separately.
 */
export class PullCounts {
  /** GETs answered with 200. */
  readonly gets: CountBySource = { cached: 0, upstream: 0 };
  /** HEADs answered with 200. */
  readonly heads: CountBySource = { cached: 0, upstream: 0 };
  /** GETs and HEADs, successful or not, as Ociregistry counts them. */
  readonly requests: CountBySource = { cached: 0, upstream: 0 };

  /** A manifest was sent with a 200. */
  sent(isHead: boolean, outcome: CacheOutcome): void {
    (isHead ? this.heads : this.gets)[partOf(outcome)]++;
  }

  /** The manifest of a request was found, or not (`failed`). */
  resolved(outcome: CacheOutcome): void {
    this.requests[partOf(outcome)]++;
  }
}

/** A coalesced request made no request to the upstream. A failed one did. */
function partOf(outcome: CacheOutcome): keyof CountBySource {
  return outcome === 'miss' || outcome === 'failed' ? 'upstream' : 'cached';
}

const help = {
  cached: 'Manifest GETs answered 200 from the cache or from the fetch of another request, for indexes and images.',
  upstream: 'Manifest GETs answered 200 with a manifest fetched from the upstream for them, for indexes and images.',
  total: 'Manifest GETs answered 200, for indexes and images: always the sum of cached and upstream pulls.',
  heads: 'Manifest HEADs answered 200, by source: the cache or the upstream.',
};

/**
 * Returns the families of manifest pulls, one series per upstream. Points are copies: encoding a scrape takes several
 * turns of the event loop, in which more pulls are counted, but the sum must stay consistent.
 */
export function pullFamilies(
  counts: Iterable<readonly [upstream: string, counts: PullCounts]>,
  created: number,
): readonly MetricFamily[] {
  const cached: CounterPoint[] = [];
  const upstream: CounterPoint[] = [];
  const total: CounterPoint[] = [];
  const heads: CounterPoint[] = [];
  for (const [name, { gets, heads: headCounts }] of counts) {
    const labels = labelSet({ upstream: name });
    const point = (value: number, of: LabelSet = labels): CounterPoint => ({ labels: of, value, created });
    cached.push(point(gets.cached));
    upstream.push(point(gets.upstream));
    total.push(point(gets.cached + gets.upstream));
    for (const source of ['cached', 'upstream'] as const) {
      heads.push(point(headCounts[source], labelSet({ upstream: name, source })));
    }
  }
  return [
    { type: 'counter', name: 'tonnage_gateway_cached_pulls', help: help.cached, points: cached },
    { type: 'counter', name: 'tonnage_gateway_upstream_pulls', help: help.upstream, points: upstream },
    { type: 'counter', name: 'tonnage_gateway_manifest_pulls', help: help.total, points: total },
    { type: 'counter', name: 'tonnage_gateway_manifest_heads', help: help.heads, points: heads },
  ];
}
