import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { assert, limits, messageOf, TonnageError } from '../base/index.ts';
import { answerBrokenRequest, answerConnect } from './broken-request.ts';
import { disconnectSilentReaders, type SilentReaderOptions } from './silent-readers.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Where to listen. Without `host`: on all addresses. Port 0: any free one. */
export interface Address {
  readonly host?: string;
  readonly port: number;
}

/** A server that listens, and can be stopped without cutting anybody off. */
export interface Listener {
  readonly server: Server;
  /** Base URL for people and tests; of a listener on all addresses, the loopback one. */
  readonly url: string;
  /** Where it listens, also where the system chose it. */
  readonly port: number;
  /** Takes no more requests, lets those in flight end within `waitMs`, then cuts what is left. Answers how many those were. */
  close(waitMs: number): Promise<number>;
}

/**
 * A bare HTTP server under our limits, whose every answer to a broken request has a body of ours. `handler` is asked
 * for whole requests only; after `close` has begun its answers end their connections. `readers`: how long clients may take
 * nothing of their answers; absent: for ever.
 */
export function createListener(handler: Handler, readers?: SilentReaderOptions): Server {
  const server = createServer({
    maxHeaderSize: limits.requestHeaderBytesMax,
    headersTimeout: limits.requestHeadersMsMax,
    // Bodies are small and few here; downloads are answers, which this does not limit.
    requestTimeout: limits.requestBodyMsMax,
    // Checked by us, since Node's own refusal has no body.
    requireHostHeader: false,
  });
  const lastAnswer = new WeakMap<Duplex, ServerResponse>();
  const handle: Handler = (request, response) => {
    lastAnswer.set(request.socket, response);
    handler(request, response);
  };
  server.on('request', handle);
  server.on('checkExpectation', handle);
  server.on('clientError', (error, socket) => answerBrokenRequest(error, socket, lastAnswer.get(socket)));
  server.on('connect', (_request, socket) => answerConnect(socket));
  const answerOn = (socket: Socket): ServerResponse | undefined => lastAnswer.get(socket);
  // A client may close its sending side and still read; Node.js would close such a connection at once. Its type definitions
  // do not declare this switch. A client that has left altogether looks the same until data to it is answered by a reset.
  // No interim response (RFC 9110, 15.2) is sent to find out: many clients take it for the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (readers) disconnectSilentReaders(server, answerOn, readers);
  return server;
}

/** Starts `server` on `address`; rejects with `address_in_use` naming it when it cannot. */
export async function listen(server: Server, address: Address): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void => reject(unavailable(address, error));
    server.once('error', refuse);
    server.listen(address.port, address.host, () => {
      server.off('error', refuse);
      resolve();
    });
  });
  const inFlight = trackRequests(server);
  const { port } = boundTo(server);
  return { server, url: urlOf(server), port, close: (waitMs) => drain(server, inFlight, waitMs) };
}

function unavailable({ host, port }: Address, error: Error): TonnageError {
  return new TonnageError('address_in_use', `cannot listen on ${host ?? '*'}:${port}: ${reasonOf(error)}`, {
    cause: error,
  });
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'another program listens there already; choose another port';
  if (code === 'EACCES') return 'this user may not; ports below 1024 are for the administrator';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  return messageOf(error);
}

function boundTo(server: Server): AddressInfo {
  const bound = server.address();
  assert(typeof bound === 'object' && bound !== null, 'a server that listens has an address with a port');
  return bound;
}

function urlOf(server: Server): string {
  const { address, family, port } = boundTo(server);
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  return family === 'IPv6' && host.includes(':') ? `http://[${host}]:${port}` : `http://${host}:${port}`;
}

function trackRequests(server: Server): Set<ServerResponse> {
  const inFlight = new Set<ServerResponse>();
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (!server.listening) response.setHeader('connection', 'close');
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
  });
  return inFlight;
}

async function drain(server: Server, inFlight: ReadonlySet<ServerResponse>, waitMs: number): Promise<number> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // An answer that has not begun yet tells its client that the connection ends with it.
  for (const response of inFlight) if (!response.headersSent) response.setHeader('connection', 'close');
  server.closeIdleConnections();
  let cut = 0;
  const timer = setTimeout(() => {
    cut = inFlight.size;
    server.closeAllConnections();
  }, waitMs);
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearTimeout(timer);
  clearInterval(sweep);
  return cut;
}
