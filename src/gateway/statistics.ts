import type { CacheParts } from './cache-gauges.ts';
import type { Amount } from './cache/survey.ts';
import { endpoints, type GatewayMetrics } from './metrics.ts';

/** What the gateway has counted and holds, for expositions under other names than its own. All of one moment. */
export interface GatewayStatistics {
  /** GETs and HEADs of manifests by upstream, whatever came of them, in the two parts of which each is one. */
  readonly manifestRequests: readonly {
    readonly upstream: string;
    /** Answered without a manifest request of their own to the upstream. */
    readonly cached: number;
    /** The others, those that failed included. */
    readonly fetched: number;
  }[];
  /** GETs of blobs, whatever came of them. */
  readonly blobRequests: number;
  /** Requests to implemented routes. */
  readonly endpointHits: number;
  /** Requests that were taken and could not be answered: not those that were malformed or not allowed. */
  readonly servingErrors: number;
  /** Manifests in memory by tag and by digest: one that is there both ways counts twice. */
  readonly manifestsInMemory: number;
  /** Blob files on disk at the last survey, and the bytes of manifests there; null when they could not be looked up. */
  readonly blobsOnDisk: Amount | null;
  readonly manifestsOnDisk: Amount | null;
}

/** Takes them together. */
export function statisticsOf(metrics: GatewayMetrics, { survey, manifests, tags }: CacheParts): GatewayStatistics {
  return {
    manifestRequests: [...metrics.pulls()].map(([upstream, { requests }]) => ({
      upstream,
      cached: requests.cached,
      fetched: requests.upstream,
    })),
    blobRequests: metrics.endpoints.blob.get.value,
    endpointHits: endpoints.reduce((sum, endpoint) => {
      const { get, head } = metrics.endpoints[endpoint];
      return sum + get.value + head.value;
    }, 0),
    servingErrors: metrics.servingErrors,
    manifestsInMemory: tags.inMemory + manifests.inMemory.count,
    blobsOnDisk: survey.blobs,
    manifestsOnDisk: survey.manifests,
  };
}
