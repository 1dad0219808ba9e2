import type { IncomingMessage, ServerResponse } from 'node:http';

import { messageOf, unreachable, type Clock, type Log } from '../base/index.ts';
import { OciError } from '../oci/index.ts';
import type { BlobHandler } from './blob-handler.ts';
import { isConnected, isHead, sendError, type Exchange } from './exchange.ts';
import { jsonHeaders } from './headers.ts';
import type { ManifestHandler } from './manifest-handler.ts';
import type { EndpointMeters, GatewayMetrics } from './metrics.ts';
import { resolveName, type Repository } from './names.ts';
import type { Admission, GatewayOptions } from './options.ts';
import { errorFor } from './error-responses.ts';
import { parseRoute, type Route } from './routes.ts';
import { assertInScope } from './scope.ts';
import { serveTags } from './tags-handler.ts';
import { UpstreamError } from './upstream/failure.ts';
import type { UpstreamTable } from './upstreams.ts';

type ContentRoute = Exclude<Route, { readonly kind: 'base' }>;

export interface RequestHandlerOptions {
  readonly upstreams: UpstreamTable;
  readonly admit: GatewayOptions['admit'];
  readonly manifests: ManifestHandler;
  readonly blobs: BlobHandler;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

const baseBody = '{}';
const baseAnswerHeaders = jsonHeaders(baseBody.length);

/** Handles `/v2` requests: parses the route, admits the client, resolves the repository, and sends errors. */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
  }

  /** Handles one request; never throws. Answers synchronously if admission does and the content is in memory. */
  handle(request: IncomingMessage, response: ServerResponse, remoteAddress?: string, pathToken?: string): void {
    const client = remoteAddress ?? request.socket.remoteAddress ?? '';
    const incoming = { request, response, client, startedMs: this.#options.clock.monotonic(), pathToken };
    let endpoint: EndpointMeters | undefined;
    try {
      const route = parseRoute(request.method, request.url);
      endpoint = this.#options.metrics.endpoints[route.kind];
      (isHead(incoming) ? endpoint.head : endpoint.get).inc();
      endpoint.inFlight.inc();
      const scope = route.kind === 'base' ? 'base' : 'content';
      const admission = this.#options.admit(request.headers, client, scope, pathToken);
      if (!(admission instanceof Promise)) return this.#answer(incoming, endpoint, route, admission);
      const meters = endpoint;
      admission.then(
        (later) => this.#answer(incoming, meters, route, later),
        (error: unknown) => this.#end(incoming, meters, error),
      );
    } catch (error) {
      this.#end(incoming, endpoint, error);
    }
  }

  /** Answers a request after admission; never throws. The request is in flight until the response has been written. */
  #answer(incoming: Incoming, endpoint: InFlight, route: Route, admission: Admission): void {
    let subject: Subject | undefined;
    try {
      const { principal } = admitted(admission, route);
      if (route.kind === 'base') {
        answerBase(incoming);
        return this.#end(incoming, endpoint);
      }
      const query = route.query === '' ? undefined : new URLSearchParams(route.query);
      const ns = namespaceOf(query);
      const { upstreams } = this.#options;
      const repository = resolveName(upstreams, route.name, { header: headerHint(incoming), namespace: ns });
      assertInScope(principal, repository);
      subject = { kind: route.kind, repository };
      const namespace = ns !== undefined && upstreams.find(ns) === repository.upstream ? ns : undefined;
      const exchange: Exchange = { ...incoming, principal, namespace };
      const served = this.#serve(exchange, route, repository);
      if (!(served instanceof Promise)) return this.#end(incoming, endpoint);
      served.then(
        () => this.#end(incoming, endpoint),
        (error: unknown) => this.#end(incoming, endpoint, error, subject),
      );
    } catch (error) {
      this.#end(incoming, endpoint, error, subject);
    }
  }

  /** Ends a request, with an error response if there is an error. */
  #end(incoming: Incoming, endpoint: InFlight | undefined, error?: unknown, subject?: Subject): void {
    endpoint?.inFlight.dec();
    if (error !== undefined) this.#fail(incoming, error, subject);
  }

  #serve(exchange: Exchange, route: ContentRoute, repository: Repository): Promise<void> | void {
    switch (route.kind) {
      case 'manifest':
        return this.#options.manifests.serve(exchange, repository, route.reference);
      case 'blob':
        return this.#options.blobs.serve(exchange, repository, route.digest);
      case 'tags':
        return serveTags(exchange, repository, route);
      default:
        return unreachable(route);
    }
  }

  /** Converts any error to a response. The details of internal errors are only logged. */
  #fail(incoming: Incoming, error: unknown, subject: Subject | undefined): void {
    if (error instanceof OciError) return this.#sendError(incoming, error, subject);
    const requestId = incoming.response.getHeader('x-request-id');
    if (error instanceof UpstreamError && subject !== undefined) {
      // The client disconnected, so its private fetch was aborted. Not an error.
      if (!isConnected(incoming)) return;
      const { upstream, name } = subject.repository;
      const fields = { requestId, upstream: upstream.name, repository: name, error: error.message };
      if (error.kind !== 'missing') this.#options.log.warn(fields, 'upstream request failed');
      return this.#sendError(incoming, errorFor(upstream, error, subject.kind), subject);
    }
    this.#options.log.error({ requestId, error: messageOf(error) }, 'request below /v2 failed');
    this.#sendError(incoming, new OciError('internal', 'internal server error'), subject);
  }

  /** Sends and counts an error, unless the client has disconnected. */
  #sendError(incoming: Incoming, error: OciError, subject: Subject | undefined): void {
    if (isConnected(incoming)) {
      const aborted = incoming.response.headersSent;
      this.#options.metrics.failed(error.kind, aborted);
      if (!aborted) subject?.repository.upstream.meters.answers(subject.kind, 'failed').whole(incoming.startedMs, 0);
    }
    sendError(incoming, error);
  }
}

type Incoming = Pick<Exchange, 'request' | 'response' | 'client' | 'startedMs' | 'pathToken'>;
type InFlight = Pick<EndpointMeters, 'inFlight'>;

/** The content that a request is for. */
interface Subject {
  readonly kind: ContentRoute['kind'];
  readonly repository: Repository;
}

function answerBase({ request, response }: Incoming): void {
  response.writeHead(200, baseAnswerHeaders);
  response.end(isHead({ request }) ? undefined : baseBody);
}

function headerHint({ request }: Incoming): string | undefined {
  const value = request.headers['x-registry'];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The `ns` parameter. Different values are joined like header lines, so they match no upstream. */
function namespaceOf(query: URLSearchParams | undefined): string | undefined {
  const all = new Set(query?.getAll('ns'));
  return all.size === 0 ? undefined : [...all].join(', ');
}

/** Returns the principal, or throws `OciError`: 401 with the challenge, or 403 without the right to pull. */
function admitted(admission: Admission, route: Route): Pick<Exchange, 'principal'> {
  switch (admission.kind) {
    case 'anonymous':
      return { principal: null };
    case 'refused':
      throw new OciError('unauthorized', 'credentials are missing or wrong', {
        'WWW-Authenticate': admission.challenge,
      });
    case 'principal': {
      const { principal } = admission;
      if (route.kind === 'base' || principal.rights.has('pull')) return { principal };
      throw new OciError('denied', 'these credentials do not have the right to pull');
    }
    default:
      return unreachable(admission);
  }
}
