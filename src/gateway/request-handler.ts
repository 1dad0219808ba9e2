import type { IncomingMessage, ServerResponse } from 'node:http';

import { messageOf, unreachable, type Clock, type Log } from '../base/index.ts';
import { OciError } from '../oci/index.ts';
import type { BlobHandler } from './blob-handler.ts';
import { isConnected, isHead, refuse, type Exchange } from './exchange.ts';
import { baseHeaders, type HeaderList } from './headers.ts';
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
const baseAnswerHeaders: HeaderList = [
  'Content-Type',
  'application/json',
  'Content-Length',
  String(baseBody.length),
  ...baseHeaders,
];

/** Takes requests in: reads the route, admits the client, finds the repository, and answers whatever goes wrong. */
export class RequestHandler {
  readonly #options: RequestHandlerOptions;

  constructor(options: RequestHandlerOptions) {
    this.#options = options;
  }

  /** Answers one request; never throws. Synchronous where admission and content are at hand. */
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
      if (!(admission instanceof Promise)) return this.#go(incoming, endpoint, route, admission);
      const taken = endpoint;
      admission.then(
        (later) => this.#go(incoming, taken, route, later),
        (error: unknown) => this.#end(incoming, taken, error),
      );
    } catch (error) {
      this.#end(incoming, endpoint, error);
    }
  }

  /** Answers a request that admission has decided about; never throws. It is in flight until its answer has been handed over. */
  #go(incoming: Incoming, endpoint: InFlight, route: Route, admission: Admission): void {
    let at: At | undefined;
    try {
      const { principal } = admitted(admission, route);
      if (route.kind === 'base') {
        answerBase(incoming);
        return this.#end(incoming, endpoint);
      }
      const query = route.query === '' ? undefined : new URLSearchParams(route.query);
      const asked = namespaceOf(query);
      const { upstreams } = this.#options;
      const repository = resolveName(upstreams, route.name, { header: headerHint(incoming), namespace: asked });
      assertInScope(principal, repository);
      at = { kind: route.kind, repository };
      const namespace = asked !== undefined && upstreams.find(asked) === repository.upstream ? asked : undefined;
      const exchange: Exchange = { ...incoming, principal, namespace };
      const served = this.#serve(exchange, route, repository);
      if (!(served instanceof Promise)) return this.#end(incoming, endpoint);
      served.then(
        () => this.#end(incoming, endpoint),
        (error: unknown) => this.#end(incoming, endpoint, error, at),
      );
    } catch (error) {
      this.#end(incoming, endpoint, error, at);
    }
  }

  /** The answer has ended, or an error takes its place. */
  #end(incoming: Incoming, endpoint: InFlight | undefined, error?: unknown, at?: At): void {
    endpoint?.inFlight.dec();
    if (error !== undefined) this.#fail(incoming, error, at);
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

  /** Turns whatever was thrown into an answer. What is our own fault is told to the log alone. */
  #fail(incoming: Incoming, error: unknown, at: At | undefined): void {
    if (error instanceof OciError) return this.#refuse(incoming, error, at);
    const requestId = incoming.response.getHeader('x-request-id');
    if (error instanceof UpstreamError && at !== undefined) {
      // What was fetched for this client alone ends when it leaves; there is nothing wrong then, and nobody to tell.
      if (!isConnected(incoming)) return;
      const { upstream, name } = at.repository;
      const fields = { requestId, upstream: upstream.name, repository: name, error: error.message };
      if (error.kind !== 'missing') this.#options.log.warn(fields, 'an upstream did not give what was asked for');
      return this.#refuse(incoming, errorFor(upstream, error, at.kind), at);
    }
    this.#options.log.error({ requestId, error: messageOf(error) }, 'a request below /v2 failed');
    this.#refuse(incoming, new OciError('internal', 'something went wrong here'), at);
  }

  /** A client that has left already is told nothing, and nothing is counted. */
  #refuse(incoming: Incoming, error: OciError, at: At | undefined): void {
    if (isConnected(incoming)) {
      const brokenOff = incoming.response.headersSent;
      this.#options.metrics.failed(error.kind, brokenOff);
      if (!brokenOff) at?.repository.upstream.meters.answers(at.kind, 'failed').whole(incoming.startedMs, 0);
    }
    refuse(incoming, error);
  }
}

type Incoming = Pick<Exchange, 'request' | 'response' | 'client' | 'startedMs' | 'pathToken'>;
type InFlight = Pick<EndpointMeters, 'inFlight'>;

/** What a request is about, once that is known. */
interface At {
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

/** The namespace that a query asks for; several that differ are joined, as lines of a header are. */
function namespaceOf(query: URLSearchParams | undefined): string | undefined {
  const all = new Set(query?.getAll('ns'));
  return all.size === 0 ? undefined : [...all].join(', ');
}

/** Lets a request in, or throws `OciError`: 401 with the challenge, or 403 for a principal without the right to pull. */
function admitted(admission: Admission, route: Route): Pick<Exchange, 'principal'> {
  switch (admission.kind) {
    case 'anonymous':
      return { principal: null };
    case 'refused':
      throw new OciError('unauthorized', 'credentials are needed, or those given are wrong', {
        'WWW-Authenticate': admission.challenge,
      });
    case 'principal': {
      const { principal } = admission;
      if (route.kind === 'base' || principal.rights.has('pull')) return { principal };
      throw new OciError('denied', 'these credentials do not give the right to pull');
    }
    default:
      return unreachable(admission);
  }
}
