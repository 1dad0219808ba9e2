import { labelSet, type CounterPoint, type LabelSet, type MetricFamily } from '../metric/index.ts';
import type { CacheOutcome } from './outcome.ts';

/** One count in its two parts: answered without a manifest request of its own to the upstream, or by means of one. */
export interface Parted {
  cached: number;
  upstream: number;
}

/**
 * The manifests that were asked of one upstream. Plain numbers, since a total must equal the sum of its parts at every
 * scrape: the families below are made of all of them in one go, and the total is never counted by itself.
 */
export class PullCounts {
  /** GETs answered with 200. */
  readonly gets: Parted = { cached: 0, upstream: 0 };
  /** HEADs answered with 200. */
  readonly heads: Parted = { cached: 0, upstream: 0 };
  /** GETs and HEADs whatever came of them, as Ociregistry counts. */
  readonly requests: Parted = { cached: 0, upstream: 0 };

  /** A manifest is on its way to the client with a 200. */
  sent(isHead: boolean, outcome: CacheOutcome): void {
    (isHead ? this.heads : this.gets)[partOf(outcome)]++;
  }

  /** The answer to a request has been found, or will not be (`failed`). */
  resolved(outcome: CacheOutcome): void {
    this.requests[partOf(outcome)]++;
  }
}

/** Whoever joined another's fetch made no request of its own. One that failed has asked, and got nothing. */
function partOf(outcome: CacheOutcome): keyof Parted {
  return outcome === 'miss' || outcome === 'failed' ? 'upstream' : 'cached';
}

const help = {
  cached:
    'Manifest GETs answered 200 out of the cache, or out of a fetch that another request had begun; index and image alike.',
  upstream:
    'Manifest GETs answered 200 with a manifest that was fetched from the upstream for them; index and image alike.',
  total: 'Manifest GETs answered 200, index and image alike: always the sum of cached and upstream pulls.',
  heads: 'Manifest HEADs answered 200, by where the answer came from: the cache, or the upstream.',
};

/**
 * The families of manifest pulls, one series for each upstream. Their points are copies: encoding a scrape takes several
 * turns of the event loop, in which further pulls are counted, and the sum must hold all the same.
 */
export function pullFamilies(
  counts: Iterable<readonly [upstream: string, counts: PullCounts]>,
  created: number,
): readonly MetricFamily[] {
  const cached: CounterPoint[] = [];
  const upstream: CounterPoint[] = [];
  const total: CounterPoint[] = [];
  const heads: CounterPoint[] = [];
  for (const [name, { gets, heads: asked }] of counts) {
    const labels = labelSet({ upstream: name });
    const point = (value: number, of: LabelSet = labels): CounterPoint => ({ labels: of, value, created });
    cached.push(point(gets.cached));
    upstream.push(point(gets.upstream));
    total.push(point(gets.cached + gets.upstream));
    for (const source of ['cached', 'upstream'] as const) {
      heads.push(point(asked[source], labelSet({ upstream: name, source })));
    }
  }
  return [
    { type: 'counter', name: 'tonnage_gateway_cached_pulls', help: help.cached, points: cached },
    { type: 'counter', name: 'tonnage_gateway_upstream_pulls', help: help.upstream, points: upstream },
    { type: 'counter', name: 'tonnage_gateway_manifest_pulls', help: help.total, points: total },
    { type: 'counter', name: 'tonnage_gateway_manifest_heads', help: help.heads, points: heads },
  ];
}
