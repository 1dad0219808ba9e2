import { durationBounds, type Counter, type Labelled, type MetricSet } from '../metric/index.ts';
import type { UpstreamFamilies } from './upstream-meters.ts';

/** Up to the half hour that a large blob may take over a slow line. */
const answerBounds = [...durationBounds, 600, 1_800];

const byUpstream: readonly ['upstream'] = ['upstream'];
const byAnswer: readonly ['upstream', 'route', 'cache'] = ['upstream', 'route', 'cache'];

type OfPulls = 'blobPulls' | 'coalescedWaits' | 'countedAborted' | 'factsUnknown' | 'blobRejected';
type OfAnswers = 'durationSeconds' | 'firstByteSeconds' | 'servedBytes';
type OfUpstreams = Exclude<keyof UpstreamFamilies, OfPulls | OfAnswers>;

/** Declares the families of which each upstream has series. */
export function declareUpstreamFamilies(set: MetricSet): UpstreamFamilies {
  return { ...pulls(set), ...answers(set), ...upstreams(set) };
}

function counter(set: MetricSet, name: string, help: string): Labelled<Counter, 'upstream'> {
  return set.counter({ name: `tonnage_gateway_${name}`, help, labels: byUpstream });
}

function pulls(set: MetricSet): Pick<UpstreamFamilies, OfPulls> {
  return {
    blobPulls: counter(set, 'blob_pulls', 'Blob GETs answered 200 or 206.'),
    coalescedWaits: set.counter({
      name: 'tonnage_gateway_coalesced_waits',
      help: 'Requests that waited for work which another request for the same content had begun.',
      labels: ['upstream', 'route'],
    }),
    countedAborted: counter(
      set,
      'counted_aborted',
      'Pulls that were counted and whose client left before the manifest could be sent.',
    ),
    factsUnknown: counter(
      set,
      'facts_unknown',
      'Pulls that were counted before the facts of their image (architecture, fusion) could be found.',
    ),
    blobRejected: counter(
      set,
      'blob_rejected',
      'Blobs that an upstream sent with another digest than asked for, or not to their end; none was kept.',
    ),
  };
}

function answers(set: MetricSet): Pick<UpstreamFamilies, OfAnswers> {
  return {
    durationSeconds: set.histogram({
      name: 'tonnage_gateway_request_duration_seconds',
      unit: 'seconds',
      help: 'Time from a request until the last byte of its answer was handed to the connection; not of answers that ended early.',
      labels: byAnswer,
      buckets: answerBounds,
    }),
    firstByteSeconds: set.histogram({
      name: 'tonnage_gateway_time_to_first_byte_seconds',
      unit: 'seconds',
      help: 'Time from a request until the first byte of its answer was handed to the connection.',
      labels: byAnswer,
    }),
    servedBytes: set.counter({
      name: 'tonnage_gateway_served_bytes',
      unit: 'bytes',
      help: 'Bytes of bodies that were sent to clients, those of answers that ended early included.',
      labels: byAnswer,
    }),
  };
}

function upstreams(set: MetricSet): Pick<UpstreamFamilies, OfUpstreams> {
  return {
    fetchedBytes: set.counter({
      name: 'tonnage_gateway_fetched_bytes',
      unit: 'bytes',
      help: 'Bytes of bodies that came from an upstream, its token endpoint and the hosts that it redirects to.',
      labels: byUpstream,
    }),
    upstreamResponses: set.counter({
      name: 'tonnage_gateway_upstream_responses',
      help: 'Answers of an upstream, its token endpoint and the hosts that it redirects to, by status; unusual ones by class.',
      labels: ['upstream', 'status'],
    }),
    upstreamResponseSeconds: set.histogram({
      name: 'tonnage_gateway_upstream_response_duration_seconds',
      unit: 'seconds',
      help: 'Time from a request to an upstream until the headers of its answer were there.',
      labels: byUpstream,
    }),
    upstreamUnanswered: counter(
      set,
      'upstream_unanswered',
      'Requests to an upstream that got no answer: no connection, no name, no TLS, or no time left.',
    ),
    rateLimitRemaining: set.gauge({
      name: 'tonnage_gateway_upstream_rate_limit_remaining',
      help: 'Requests that an upstream said it would still take before it limits us; absent where none has said so.',
      labels: byUpstream,
    }),
  };
}
