import type { IncomingMessage, ServerResponse } from 'node:http';
import { limits, type Clock, type Log, type Random } from '../base/index.ts';
import type { Gateway } from '../gateway/index.ts';
import { answerHeaders, OciError } from '../oci/index.ts';
import { noteRequestId } from './api.ts';
import type { App } from './contract.ts';
import { clientOf } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { cutPathToken, pathForLog } from './path-token.ts';
import { problem, problemType } from './problem.ts';
import { createRequestIds } from './request-id.ts';

export interface MainHandlerOptions {
  readonly gateway: Pick<Gateway, 'handle'>;
  readonly api: App;
  /** Answers `/v2/token`. */
  readonly token: Handler;
  /** Takes note of what trusted proxies say of a request. Default: none is trusted. */
  readonly readForwarded?: (request: IncomingMessage) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whether each request is logged when its answer has ended. */
  readonly accessLog: boolean;
}

/** Sends each request of the main listener where it belongs: `/v2` to the gateway, everything else to the API. */
export function createMainHandler(options: MainHandlerOptions): Handler {
  const { gateway, api } = options;
  const giveId = createRequestIds(options.random);
  return (request, response) => {
    const id = giveId(request, response);
    options.readForwarded?.(request);
    const { target, pathToken } = cutPathToken(request.url ?? '');
    request.url = target;
    logWhenDone(options, id, request, response);
    const forGateway = isGatewayTarget(target);
    const refusal = refusalOf(request, target);
    if (refusal !== undefined) return refuse(response, refusal, forGateway || !target.startsWith('/'));
    if (isTokenTarget(target) && pathToken === undefined) return options.token(request, response);
    if (forGateway) {
      return gateway.handle(request, response, clientOf(request.headers, request.socket.remoteAddress), pathToken);
    }
    noteRequestId(request, id);
    return api.routing(request, response);
  };
}

function isGatewayTarget(target: string): boolean {
  return target.startsWith('/v2') && (target.length === 3 || target[3] === '/' || target[3] === '?');
}

function isTokenTarget(target: string): boolean {
  return target.startsWith('/v2/token') && (target.length === 9 || target[9] === '?');
}

/** What no route should ever see: forms of requests that only proxies take, those without a host, and unknown codings (RFC 9112, 3.2 and 6.1). */
function refusalOf(request: IncomingMessage, target: string): string | undefined {
  if (!target.startsWith('/')) return 'expected the path of a resource on this server as the target of the request';
  if (request.headers.host === undefined && request.httpVersion !== '1.0') return 'expected a Host header, got none';
  if (hasSeveralHosts(request.rawHeaders)) return 'expected one Host header, got several';
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'expected no transfer coding other than chunked';
  return undefined;
}

/** Node takes the first one; whoever stands in between may have taken another (RFC 9112, 3.2). */
function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

function refuse(response: ServerResponse, message: string, forGateway: boolean): void {
  const body = forGateway
    ? new OciError('requestInvalid', message).body()
    : JSON.stringify(problem('bad_request', message));
  response.writeHead(400, {
    'content-type': forGateway ? 'application/json' : problemType,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(forGateway ? answerHeaders : {}),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/**
 * One line for a request that was refused or slow, and with the access log for every other one too; the path without its
 * query, which may hold what is nobody's business. A blob may take its time.
 */
function logWhenDone(
  { log, clock, accessLog }: MainHandlerOptions,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const started = clock.monotonic();
  response.once('close', () => {
    const ms = clock.monotonic() - started;
    const refused = response.statusCode >= 400;
    const slow = ms > limits.slowAnswerMs && request.url?.includes('/blobs/') !== true;
    if (!accessLog && !refused && !slow) return;
    const fields = {
      requestId,
      method: request.method,
      path: pathForLog(request.url ?? ''),
      status: response.statusCode,
      complete: response.writableFinished,
      ms: Math.round(ms),
      client: clientOf(request.headers, request.socket.remoteAddress) || 'unknown',
    };
    if (slow) log.warn(fields, 'a slow answer');
    else log.info(fields, refused ? 'a request was refused' : 'request');
  });
}
