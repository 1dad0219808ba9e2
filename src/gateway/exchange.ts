import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Principal } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import { jsonHeaders, type HeaderList } from './headers.ts';

/** An admitted request and its response. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Null if anonymous. */
  readonly principal: Principal | null;
  /** Address of the client; empty if it is unknown. */
  readonly client: string;
  /** Start of the request, on the monotonic clock in milliseconds. */
  readonly startedMs: number;
  /** The upstream's name in `ns`, if it names the upstream that answers. It is repeated in the response. */
  readonly namespace: string | undefined;
  /** The token in the path. Links to other pages need it. */
  readonly pathToken?: string | undefined;
}

export function isHead(exchange: Pick<Exchange, 'request'>): boolean {
  return exchange.request.method === 'HEAD';
}

export function isConnected(exchange: Pick<Exchange, 'response'>): boolean {
  return !exchange.response.destroyed;
}

/**
 * Writes the status line and headers, with `OCI-Namespace` if the client used `ns`. If that throws, all headers are
 * removed again, so that an error response can be sent.
 */
export function writeHead(exchange: Exchange, status: number, headers: HeaderList): void {
  const { namespace, response } = exchange;
  const all = namespace === undefined ? headers : [...headers, 'OCI-Namespace', namespace];
  try {
    response.writeHead(status, all);
  } catch (error) {
    for (const [index, name] of all.entries()) if (index % 2 === 0) response.removeHeader(name);
    throw error;
  }
}

/**
 * Sends an error with the body that the distribution spec requires. If a part of a response has been sent, aborts it:
 * that is the only way to notify the client.
 */
export function sendError(exchange: Pick<Exchange, 'request' | 'response'>, error: OciError): void {
  const { response } = exchange;
  if (response.headersSent) {
    abortResponse(response);
    return;
  }
  const body = Buffer.from(error.body(), 'utf8');
  const more = ['Cache-Control', 'no-store', ...Object.entries(error.headers).flat()];
  response.writeHead(error.status, jsonHeaders(body.byteLength, ...more));
  response.end(isHead(exchange) ? undefined : body);
}

/** Only plain TCP connections can be reset. */
function isResettable(socket: Socket): boolean {
  return !('encrypted' in socket) && socket.remoteFamily !== undefined;
}

/** Aborts a response, by a connection reset if possible, so that no client takes it for complete. */
function abortResponse(response: ServerResponse): void {
  const { socket } = response;
  if (socket !== null && !socket.destroyed && isResettable(socket)) socket.resetAndDestroy();
  response.destroy();
}
