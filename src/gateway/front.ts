import type { IncomingMessage, ServerResponse } from 'node:http';

import { messageOf, unreachable, type Log } from '../base/index.ts';
import { OciError } from '../oci/index.ts';
import type { BlobHandler } from './blob-handler.ts';
import { isConnected, isHead, refuse, writeHead, type Exchange } from './exchange.ts';
import { baseHeaders, type HeaderList } from './headers.ts';
import type { ManifestHandler } from './manifest-handler.ts';
import { resolveName, type Repository } from './names.ts';
import type { Admission, GatewayOptions } from './options.ts';
import { refusalOf, type Asked } from './refusals.ts';
import { parseRoute, type Route } from './routes.ts';
import { serveTags } from './tags-handler.ts';
import { UpstreamError } from './upstream/failure.ts';
import type { UpstreamTable } from './upstreams.ts';

type ContentRoute = Exclude<Route, { readonly kind: 'base' }>;

export interface FrontOptions {
  readonly upstreams: UpstreamTable;
  readonly admit: GatewayOptions['admit'];
  readonly manifests: ManifestHandler;
  readonly blobs: BlobHandler;
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

const asked = { manifest: 'manifest', blob: 'blob', tags: 'tags' } as const satisfies Record<
  ContentRoute['kind'],
  Asked
>;

/** Takes requests in: reads the route, admits the client, finds the repository, and answers whatever goes wrong. */
export class Front {
  readonly #options: FrontOptions;

  constructor(options: FrontOptions) {
    this.#options = options;
  }

  /** Answers one request; never throws. Synchronous where admission and content are at hand. */
  handle(request: IncomingMessage, response: ServerResponse, remoteAddress?: string): void {
    const client = remoteAddress ?? request.socket.remoteAddress ?? '';
    const exchange = { request, response, client };
    try {
      const route = parseRoute(request.method, request.url);
      const scope = route.kind === 'base' ? 'base' : 'content';
      const admission = this.#options.admit(request.headers, client, scope);
      if (!(admission instanceof Promise)) return this.#go(exchange, route, admission);
      admission
        .then((later) => this.#go(exchange, route, later))
        .catch((error: unknown) => this.#fail(exchange, error));
    } catch (error) {
      this.#fail(exchange, error);
    }
  }

  #go(incoming: Incoming, route: Route, admission: Admission): void {
    const { principal } = admitted(admission, route);
    if (route.kind === 'base') {
      const exchange = { ...incoming, principal, namespace: undefined };
      writeHead(exchange, 200, baseAnswerHeaders);
      incoming.response.end(isHead(incoming) ? undefined : baseBody);
      return;
    }
    const query = route.query === '' ? undefined : new URLSearchParams(route.query);
    const namespace = query?.get('ns') ?? undefined;
    const repository = resolveName(this.#options.upstreams, route.name, { header: headerHint(incoming), namespace });
    const exchange: Exchange = { ...incoming, principal, namespace };
    const served = this.#serve(exchange, route, repository, query);
    if (served instanceof Promise) served.catch((error: unknown) => this.#fail(incoming, error, { route, repository }));
  }

  #serve(
    exchange: Exchange,
    route: ContentRoute,
    repository: Repository,
    query: URLSearchParams | undefined,
  ): Promise<void> | void {
    switch (route.kind) {
      case 'manifest':
        return this.#options.manifests.serve(exchange, repository, route.reference);
      case 'blob':
        return this.#options.blobs.serve(exchange, repository, route.digest);
      case 'tags':
        return serveTags(exchange, repository, route.name, query ?? new URLSearchParams());
      default:
        return unreachable(route);
    }
  }

  /** Turns whatever was thrown into an answer. What is our own fault is told to the log alone. */
  #fail(
    incoming: Incoming,
    error: unknown,
    at?: { readonly route: ContentRoute; readonly repository: Repository },
  ): void {
    if (error instanceof OciError) return refuse(incoming, error);
    const requestId = incoming.response.getHeader('x-request-id');
    if (error instanceof UpstreamError && at !== undefined) {
      // What was fetched for this client alone ends when it leaves; there is nothing wrong then, and nobody to tell.
      if (!isConnected(incoming)) return;
      const { upstream, name } = at.repository;
      const fields = { requestId, upstream: upstream.name, repository: name, error: error.message };
      if (error.kind !== 'missing') this.#options.log.warn(fields, 'an upstream did not give what was asked for');
      return refuse(incoming, refusalOf(upstream, error, asked[at.route.kind]));
    }
    this.#options.log.error({ requestId, error: messageOf(error) }, 'a request below /v2 failed');
    refuse(incoming, new OciError('internal', 'something went wrong here'));
  }
}

type Incoming = Pick<Exchange, 'request' | 'response' | 'client'>;

function headerHint({ request }: Incoming): string | undefined {
  const value = request.headers['x-registry'];
  return Array.isArray(value) ? value.join(', ') : value;
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
