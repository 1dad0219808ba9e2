import type { IncomingMessage, ServerResponse } from 'node:http';
import { limits, type Clock, type Log, type Random } from '../base/index.ts';
import type { Gateway } from '../gateway/index.ts';
import { answerHeaders, OciError } from '../oci/index.ts';
import { setRequestId } from './api.ts';
import type { App } from './contract.ts';
import { clientOf } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { cutPathToken, pathForLog } from './path-token.ts';
import { problem, problemType } from './problem.ts';
import { createRequestIds } from './request-id.ts';
import { sendBody } from './send-body.ts';

export interface MainHandlerOptions {
  readonly gateway: Pick<Gateway, 'handle'>;
  readonly api: App;
  /** Handler of `/v2/token`. */
  readonly token: Handler;
  /** Reads the headers of trusted proxies. Default: no proxy is trusted. */
  readonly readForwarded?: (request: IncomingMessage) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Whether to log every request, once its response has ended. */
  readonly accessLog: boolean;
}

/** Routes each request of the main listener: `/v2` to the gateway, everything else to the API. */
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
    const problem = problemOf(request, target);
    if (problem !== undefined) return reject(response, problem, forGateway || !target.startsWith('/'));
    if (isTokenTarget(target) && pathToken === undefined) return options.token(request, response);
    if (forGateway) {
      return gateway.handle(request, response, clientOf(request.headers, request.socket.remoteAddress), pathToken);
    }
    setRequestId(request, id);
    return api.routing(request, response);
  };
}

function isGatewayTarget(target: string): boolean {
  return target.startsWith('/v2') && (target.length === 3 || target[3] === '/' || target[3] === '?');
}

function isTokenTarget(target: string): boolean {
  return target.startsWith('/v2/token') && (target.length === 9 || target[9] === '?');
}

/** What is wrong with a request, for any route: a target form for proxies, no Host, or an unknown coding (RFC 9112, 3.2 and 6.1). */
function problemOf(request: IncomingMessage, target: string): string | undefined {
  if (!target.startsWith('/')) return 'expected a path as the target of the request';
  if (request.headers.host === undefined && request.httpVersion !== '1.0') return 'expected a Host header, got none';
  if (hasSeveralHosts(request.rawHeaders)) return 'expected one Host header, got several';
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return 'expected no transfer coding other than chunked';
  return undefined;
}

/** Node takes the first Host header; a proxy in between may have taken another one (RFC 9112, 3.2). */
function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

function reject(response: ServerResponse, message: string, forGateway: boolean): void {
  const body = forGateway
    ? new OciError('requestInvalid', message).body()
    : JSON.stringify(problem('bad_request', message));
  sendBody(response, 400, body, {
    'content-type': forGateway ? 'application/json' : problemType,
    connection: 'close',
    ...(forGateway ? answerHeaders : {}),
  });
}

/**
 * Logs a request that failed or was slow, and any other request if the access log is on. The path is logged without its
 * query, which may contain secrets. A blob is never slow: its size decides.
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
    const failed = response.statusCode >= 400;
    const slow = ms > limits.slowAnswerMs && request.url?.includes('/blobs/') !== true;
    if (!accessLog && !failed && !slow) return;
    const fields = {
      requestId,
      method: request.method,
      path: pathForLog(request.url ?? ''),
      status: response.statusCode,
      complete: response.writableFinished,
      ms: Math.round(ms),
      client: clientOf(request.headers, request.socket.remoteAddress) || 'unknown',
    };
    if (slow) log.warn(fields, 'slow response');
    else log.info(fields, failed ? 'request rejected' : 'request');
  });
}
