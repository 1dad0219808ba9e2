import type { Counter, Labelled, MetricSet } from '../metric/index.ts';

type ByUpstream = Labelled<Counter, 'upstream'>;

/** What the gateway counts about itself. Label values are configured upstreams only, so that they are few. */
export interface GatewayMetrics {
  readonly countedAborted: ByUpstream;
  readonly factsUnknown: ByUpstream;
  readonly blobRejected: ByUpstream;
}

export function createGatewayMetrics(set: MetricSet): GatewayMetrics {
  return {
    countedAborted: set.counter({
      name: 'tonnage_gateway_counted_aborted',
      help: 'Pulls that were counted and whose client left before the manifest could be sent.',
      labels: ['upstream'],
    }),
    factsUnknown: set.counter({
      name: 'tonnage_gateway_facts_unknown',
      help: 'Pulls that were counted before the facts of their image (architecture, fusion) could be found.',
      labels: ['upstream'],
    }),
    blobRejected: set.counter({
      name: 'tonnage_gateway_blob_rejected',
      help: 'Blobs that an upstream sent with another digest than asked for, or not to their end; none was kept.',
      labels: ['upstream'],
    }),
  };
}
