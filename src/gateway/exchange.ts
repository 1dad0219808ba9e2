import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Principal } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import { baseHeaders, type HeaderList } from './headers.ts';

/** One request that was admitted, and the answer that it gets. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Null: anonymous. */
  readonly principal: Principal | null;
  /** Address of the client; empty when it is unknown. */
  readonly client: string;
  /** When the request came, on the monotonic clock in milliseconds. */
  readonly startedMs: number;
  /** The client's name, in `ns`, for the upstream that answers: it is confirmed to the client. */
  readonly namespace: string | undefined;
  /** The token that stood in the path, which links to further pages need again. */
  readonly pathToken?: string | undefined;
}

/** Whether only headers are wanted. */
export function isHead(exchange: Pick<Exchange, 'request'>): boolean {
  return exchange.request.method === 'HEAD';
}

/** Whether there is still somebody to answer. */
export function isConnected(exchange: Pick<Exchange, 'response'>): boolean {
  return !exchange.response.destroyed;
}

/**
 * Sets the status line and headers (names and values in turn). A namespace that was asked for is confirmed. When that
 * fails nothing of it is left for the refusal that takes its place.
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
 * Answers with an error, in the body that the distribution spec prescribes. Where an answer has begun already nothing but
 * breaking it off can tell the client.
 */
export function refuse(exchange: Pick<Exchange, 'request' | 'response'>, error: OciError): void {
  const { response } = exchange;
  if (response.headersSent) {
    breakOff(response);
    return;
  }
  const body = Buffer.from(error.body(), 'utf8');
  response.writeHead(error.status, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.byteLength),
    'Cache-Control',
    'no-store',
    ...Object.entries(error.headers).flat(),
    ...baseHeaders,
  ]);
  response.end(isHead(exchange) ? undefined : body);
}

/** Whether a connection is plain TCP: nothing else can be reset. */
function isResettable(socket: Socket): boolean {
  return !('encrypted' in socket) && socket.remoteFamily !== undefined;
}

/** Ends an answer in the middle so that no client takes it for whole: by a reset, where the connection can be reset. */
function breakOff(response: ServerResponse): void {
  const { socket } = response;
  if (socket !== null && !socket.destroyed && isResettable(socket)) socket.resetAndDestroy();
  response.destroy();
}
