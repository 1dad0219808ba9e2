import { durationBounds, type Counter, type Labelled, type MetricSet } from '../metric/index.ts';

/** Up to half an hour, for a large blob over a slow connection. */
const answerBounds = [...durationBounds, 600, 1_800];

const byUpstream: readonly ['upstream'] = ['upstream'];
const byAnswer: readonly ['upstream', 'route', 'cache'] = ['upstream', 'route', 'cache'];

/** Families with series per upstream. */
export type UpstreamFamilies = ReturnType<typeof declareUpstreamFamilies>;

/** Declares the families with series per upstream. */
export function declareUpstreamFamilies(set: MetricSet) {
  return { ...pulls(set), ...answers(set), ...upstreams(set) };
}

function counter(set: MetricSet, name: string, help: string): Labelled<Counter, 'upstream'> {
  return set.counter({ name: `tonnage_gateway_${name}`, help, labels: byUpstream });
}

function pulls(set: MetricSet) {
  return {
    blobPulls: counter(set, 'blob_pulls', 'Blob GETs answered 200 or 206.'),
    coalescedWaits: set.counter({
      name: 'tonnage_gateway_coalesced_waits',
      help: 'Requests that waited for a fetch that another request had started for the same content.',
      labels: ['upstream', 'route'],
    }),
    countedAborted: counter(
      set,
      'counted_aborted',
      'Pulls that were counted although the client disconnected before the manifest was sent.',
    ),
    factsUnknown: counter(
      set,
      'facts_unknown',
      'Pulls that were counted without the facts of the image (architecture, fusion), because they were not found in time.',
    ),
    blobRejected: counter(
      set,
      'blob_rejected',
      'Blobs that an upstream sent incomplete or with a wrong digest. None was cached.',
    ),
  };
}

function answers(set: MetricSet) {
  return {
    durationSeconds: set.histogram({
      name: 'tonnage_gateway_request_duration_seconds',
      unit: 'seconds',
      help: 'Time from a request until the last byte of the response was written, without aborted responses.',
      labels: byAnswer,
      buckets: answerBounds,
    }),
    firstByteSeconds: set.histogram({
      name: 'tonnage_gateway_time_to_first_byte_seconds',
      unit: 'seconds',
      help: 'Time from a request until the first byte of the response was written.',
      labels: byAnswer,
    }),
    servedBytes: set.counter({
      name: 'tonnage_gateway_served_bytes',
      unit: 'bytes',
      help: 'Body bytes sent to clients, including aborted responses.',
      labels: byAnswer,
    }),
  };
}

function upstreams(set: MetricSet) {
  return {
    fetchedBytes: set.counter({
      name: 'tonnage_gateway_fetched_bytes',
      unit: 'bytes',
      help: 'Body bytes received from an upstream, its token endpoint and its redirect targets.',
      labels: byUpstream,
    }),
    upstreamResponses: set.counter({
      name: 'tonnage_gateway_upstream_responses',
      help: 'Responses of an upstream, its token endpoint and its redirect targets, by status; unusual ones by class.',
      labels: ['upstream', 'status'],
    }),
    upstreamResponseSeconds: set.histogram({
      name: 'tonnage_gateway_upstream_response_duration_seconds',
      unit: 'seconds',
      help: 'Time from a request to an upstream until the headers of its response arrived.',
      labels: byUpstream,
    }),
    upstreamUnanswered: counter(
      set,
      'upstream_unanswered',
      'Requests to an upstream without a response: connection, DNS or TLS error, or timeout.',
    ),
    rateLimitRemaining: set.gauge({
      name: 'tonnage_gateway_upstream_rate_limit_remaining',
      help: 'Remaining requests of the rate limit that an upstream states; absent if it states none.',
      labels: byUpstream,
    }),
  };
}
