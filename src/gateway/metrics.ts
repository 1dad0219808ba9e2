import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Clock } from '../base/index.ts';
import type { Counter, Gauge, Labelled, MetricSet } from '../metric/index.ts';
import { ociErrors, type OciErrorKind } from '../oci/index.ts';
import { pullFamilies } from './pull-counts.ts';
import { declareUpstreamFamilies, type UpstreamFamilies } from './upstream-families.ts';
import { UpstreamMeters } from './upstream-meters.ts';

/** The implemented routes below `/v2`. */
export const endpoints = ['base', 'manifest', 'blob', 'tags', 'token'] as const;
export type Endpoint = (typeof endpoints)[number];

export interface EndpointMeters {
  readonly get: Counter;
  readonly head: Counter;
  readonly inFlight: Gauge;
}

/** Errors that Ociregistry counts too: a valid request failed. */
const servingErrors: ReadonlySet<OciErrorKind> = new Set<OciErrorKind>([
  'nameUnknown',
  'manifestUnknown',
  'blobUnknown',
  'upstreamDenied',
  'upstreamThrottled',
  'upstreamUnavailable',
  'upstreamInvalid',
  'internal',
]);

/**
 * The gateway's metrics. Labels are configured upstreams, routes, outcomes and codes, so the number of series is
 * limited. Every series is bound once, so that counting needs no lookup.
 */
export class GatewayMetrics {
  readonly endpoints: Readonly<Record<Endpoint, EndpointMeters>>;
  readonly #errors: Labelled<Counter, 'code'>;
  readonly #families: UpstreamFamilies;
  readonly #upstreams = new Map<string, UpstreamMeters>();
  readonly #clock: Clock;
  #servingErrors = 0;

  /** Declares the families in `set`. */
  constructor(set: MetricSet, clock: Clock) {
    this.#clock = clock;
    this.endpoints = endpointMeters(set);
    this.#errors = errorCounter(set);
    const created = clock.now() / 1_000;
    set.collect(() => pullFamilies(this.pulls(), created));
    this.#families = declareUpstreamFamilies(set);
  }

  /** Returns the series of an upstream, and creates them on first use. */
  upstream(name: string): UpstreamMeters {
    let meters = this.#upstreams.get(name);
    if (meters === undefined) {
      meters = new UpstreamMeters(name, this.#families, this.#clock);
      this.#upstreams.set(name, meters);
    }
    return meters;
  }

  /** Counts an error response, or an aborted response. */
  failed(kind: OciErrorKind, aborted: boolean): void {
    this.#errors.labels({ code: ociErrors[kind].code }).inc();
    if (!aborted && servingErrors.has(kind)) this.#servingErrors++;
  }

  /** Counts a request to the token endpoint and its outcome. */
  countTokenRequest(request: IncomingMessage, response: ServerResponse): void {
    const { get, head, inFlight } = this.endpoints.token;
    if (request.method === 'GET') get.inc();
    if (request.method === 'HEAD') head.inc();
    inFlight.inc();
    response.once('close', () => {
      inFlight.dec();
      const kind = response.headersSent ? tokenErrorKind(response.statusCode) : undefined;
      if (kind !== undefined) this.failed(kind, false);
    });
  }

  /** Valid requests that failed, as Ociregistry counts errors. */
  get servingErrors(): number {
    return this.#servingErrors;
  }

  /** Yields the manifest pulls of each upstream. */
  *pulls(): Generator<readonly [string, UpstreamMeters['pulls']], void> {
    for (const [name, { pulls }] of this.#upstreams) yield [name, pulls];
  }
}

/** The error kind of a token endpoint's status; undefined for a success. */
function tokenErrorKind(status: number): OciErrorKind | undefined {
  if (status < 400) return undefined;
  if (status === 401) return 'unauthorized';
  if (status === 405) return 'methodUnsupported';
  if (status === 429) return 'upstreamThrottled';
  return status < 500 ? 'requestInvalid' : 'internal';
}

function endpointMeters(set: MetricSet): Readonly<Record<Endpoint, EndpointMeters>> {
  const hits = set.counter({
    name: 'tonnage_gateway_endpoint_hits',
    help: 'Requests to an implemented route below /v2, successful or not, by route and method.',
    labels: ['route', 'method'],
  });
  const inFlight = set.gauge({
    name: 'tonnage_gateway_requests_in_flight',
    help: 'Requests below /v2 in flight.',
    labels: ['route'],
  });
  const metersOf = (route: Endpoint): EndpointMeters => ({
    get: hits.labels({ route, method: 'GET' }),
    head: hits.labels({ route, method: 'HEAD' }),
    inFlight: inFlight.labels({ route }),
  });
  return {
    base: metersOf('base'),
    manifest: metersOf('manifest'),
    blob: metersOf('blob'),
    tags: metersOf('tags'),
    token: metersOf('token'),
  };
}

function errorCounter(set: MetricSet): Labelled<Counter, 'code'> {
  const errors = set.counter({
    name: 'tonnage_gateway_api_errors',
    help: 'Responses below /v2 with a status of 400 or above, and aborted responses, by OCI error code.',
    labels: ['code'],
  });
  for (const { code } of Object.values(ociErrors)) errors.labels({ code });
  return errors;
}
