import type { CacheParts } from './cache-gauges.ts';
import { endpoints, type GatewayMetrics } from './metrics.ts';
import type { GatewayStatistics } from './options.ts';

/** Collects the statistics of one moment. */
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
