import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { assert, codeOf, limits, messageOf, TonnageError } from '../base/index.ts';
import { formatListen, type ListenAddress } from '../config/index.ts';
import { answerBrokenRequest, answerConnect } from './broken-request.ts';
import { disconnectSilentReaders, type SilentReaderOptions } from './silent-readers.ts';
import { connectionOf, createTlsServer, handshakesOf, isTlsServer, type ListenerTls } from './tls/server.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A listening server. */
export interface Listener {
  readonly server: Server;
  /** Base URL for people and tests. A listener on all addresses has the loopback address. */
  readonly url: string;
  /** The actual port, also if the system chose it. */
  readonly port: number;
  readonly close: Close;
}

/**
 * Accepts no new requests, waits up to `waitMs` for those in flight, then closes the remaining connections. Resolves
 * with the number of requests that it aborted.
 */
type Close = (waitMs: number) => Promise<number>;

export interface ListenerOptions {
  /** Limits how long a client may read nothing of a response. Absent: no limit. */
  readonly readers?: SilentReaderOptions;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls;
}

/** Creates an HTTP or HTTPS server with our limits, which answers malformed requests itself. */
export function createListener(handler: Handler, { readers, tls }: ListenerOptions = {}): Server {
  const server = createServerFor(tls, {
    maxHeaderSize: limits.requestHeaderBytesMax,
    headersTimeout: limits.requestHeadersMsMax,
    // Limits the time of request bodies, which are small. It does not limit downloads, which are responses.
    requestTimeout: limits.requestBodyMsMax,
    // The main handler checks it: Node's own error response has no body.
    requireHostHeader: false,
  });
  const lastAnswer = new WeakMap<Duplex, ServerResponse>();
  const handle: Handler = (request, response) => {
    lastAnswer.set(connectionOf(request.socket), response);
    handler(request, response);
  };
  server.on('request', handle);
  server.on('checkExpectation', handle);
  const answerOn = (socket: Socket): ServerResponse | undefined => lastAnswer.get(connectionOf(socket));
  server.on('clientError', (error, socket: Socket) => answerBrokenRequest(error, socket, answerOn(socket)));
  server.on('connect', (_request, socket) => answerConnect(socket));
  // A client may close its sending side and still read; by default, Node.js would close such a connection at once. Its type
  // definitions lack this option. A client that has disconnected completely looks the same until a write to it is reset. The
  // server sends no interim response (RFC 9110, 15.2) to find out, because many clients take it for the final response.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (readers) disconnectSilentReaders(server, answerOn, readers);
  return server;
}

function createServerFor(tls: ListenerTls | undefined, options: ServerOptions): Server {
  return tls ? createTlsServer(options, tls) : createServer(options);
}

/** Starts `server` on `address`. Rejects with `address_in_use`, which names the address, if that fails. */
export async function listen(server: Server, address: ListenAddress): Promise<Listener> {
  try {
    // Without a host, Node.js listens on `::`, which also has the IPv4 addresses, or on 0.0.0.0 if there is no IPv6.
    await once(server.listen(address.port, address.host), 'listening');
  } catch (error) {
    const message = `cannot listen on ${formatListen(address)}: ${reasonOf(error)}`;
    throw new TonnageError('address_in_use', message, { cause: error });
  }
  return { server, url: urlOf(server), port: boundTo(server).port, close: closerOf(server) };
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') return 'another program already listens there; choose another port (--port, --metrics)';
  if (code === 'EACCES') return 'permission denied; ports below 1024 need administrator rights';
  if (code === 'EADDRNOTAVAIL') return 'this machine has no such address';
  return messageOf(error);
}

function boundTo(server: Server): AddressInfo {
  const bound = server.address();
  assert(typeof bound === 'object' && bound !== null, 'a listening server has an address with a port');
  return bound;
}

function urlOf(server: Server): string {
  const { address, family, port } = boundTo(server);
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  const scheme = isTlsServer(server) ? 'https' : 'http';
  return `${scheme}://${family === 'IPv6' && host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Returns the `Close` of a listening server. Call it before the first request. */
export function closerOf(server: Server): Close {
  const inFlight = new Set<ServerResponse>();
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (!server.listening) response.setHeader('connection', 'close');
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
  });
  const handshakes = handshakesOf(server);
  const closeIdle = server.closeIdleConnections.bind(server);
  // Node.js takes a connection for idle once its response has ended, although the client may still be reading it.
  server.closeIdleConnections = () => {
    if ([...inFlight].some(({ writableEnded }) => writableEnded)) return;
    closeIdle();
  };
  const closeUnused = (): void => {
    server.closeIdleConnections();
    for (const connection of handshakes) connection.destroy();
  };
  return async (waitMs) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Tell clients that the connection ends with this response.
    for (const response of inFlight) if (!response.headersSent) response.setHeader('connection', 'close');
    closeUnused();
    let aborted = 0;
    const timer = setTimeout(() => {
      aborted = inFlight.size;
      server.closeAllConnections();
    }, waitMs);
    const sweep = setInterval(closeUnused, 50);
    await closed;
    clearTimeout(timer);
    clearInterval(sweep);
    return aborted;
  };
}
