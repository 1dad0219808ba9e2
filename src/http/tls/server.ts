import type { Server as HttpServer, ServerOptions } from 'node:http';
import { createServer } from 'node:https';
import { Socket } from 'node:net';
import { Server, type TLSSocket } from 'node:tls';
import { codeOf, limits } from '../../base/index.ts';
import type { ListenerCertificate } from './listener-certificate.ts';

/** Why the server has no TLS connection with a client. */
export type HandshakeFailure = 'plain_http' | 'timeout' | 'disconnected' | 'limit' | 'refused';

export interface ListenerTls {
  readonly certificate: ListenerCertificate;
  /** Called for each failed handshake with the client's address and the error of TLS. */
  readonly onFailure: (failure: HandshakeFailure, client: string | undefined, error?: Error) => void;
  /** How long a handshake may take, in ms. Default: `limits.tlsHandshakeMsMax`. */
  readonly handshakeMsMax?: number;
  /** Default: `limits.tlsConnectionsMax`. */
  readonly connectionsMax?: number;
}

/** Creates an HTTPS server for TLS 1.2 and later, which uses each new pair of its certificate for later connections. */
export function createTlsServer(options: ServerOptions, tls: ListenerTls): HttpServer {
  const { certificate, onFailure } = tls;
  const server = createServer({
    ...options,
    ...certificate.context,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: tls.handshakeMsMax ?? limits.tlsHandshakeMsMax,
  });
  server.maxConnections = tls.connectionsMax ?? limits.tlsConnectionsMax;
  certificate.onReplaced((context) => server.setSecureContext(context));
  server.on('drop', (data) => onFailure('limit', data?.remoteAddress));
  // A connection has no address any more once its handshake has failed.
  const clients = new WeakMap<Socket, string | undefined>();
  server.on('connection', (connection: Socket) => clients.set(connection, connection.remoteAddress));
  // Node.js would report a failed handshake as a malformed request, whose answer cannot be sent without TLS.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    onFailure(failureOf(error), clients.get(connectionOf(socket)), error);
    socket.destroy();
  });
  // A client may close its sending side after its request. During the handshake, that means that it has disconnected.
  server.on('secureConnection', (socket: TLSSocket) => (socket.allowHalfOpen = true));
  return server;
}

function failureOf(error: Error): HandshakeFailure {
  switch (codeOf(error)) {
    case 'ERR_SSL_HTTP_REQUEST':
      return 'plain_http';
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return 'timeout';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'disconnected';
    default:
      return 'refused';
  }
}

/** Whether a server speaks TLS. */
export function isTlsServer(server: HttpServer): boolean {
  return server instanceof Server;
}

/** The TCP connection below a TLS connection. Any other connection is itself one. */
export function connectionOf(socket: Socket): Socket {
  // An undocumented property.
  const below: unknown = Reflect.get(socket, '_parent');
  return below instanceof Socket ? below : socket;
}

/** The connections of a TLS server whose handshake has not ended. Node.js does not count them among the idle ones. */
export function handshakesOf(server: HttpServer): ReadonlySet<Socket> {
  const handshakes = new Set<Socket>();
  if (!isTlsServer(server)) return handshakes;
  server.on('connection', (connection: Socket) => {
    handshakes.add(connection);
    connection.once('close', () => handshakes.delete(connection));
  });
  server.on('secureConnection', (socket: TLSSocket) => handshakes.delete(connectionOf(socket)));
  return handshakes;
}
