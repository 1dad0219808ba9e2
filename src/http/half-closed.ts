import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { limits } from '../base/index.ts';

/**
 * Answers clients that close their sending side once they have sent their request: they still read. Without this, Node.js
 * closes such a connection at once.
 *
 * A client that has closed its connection altogether looks the same: only writing shows the difference, since its system
 * answers data with a reset. While such a client waits for its answer, interim responses are therefore sent to it.
 */
export function answerHalfClosed(server: Server, answerOn: (socket: Socket) => ServerResponse | undefined): void {
  // Node.js has had this switch since its first releases, but its type definitions do not declare it.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => probe(answerOn(socket)));
  });
}

/** Sends interim responses until the answer begins or the connection ends. HTTP/1.0 has none. */
function probe(response: ServerResponse | undefined): void {
  if (response === undefined || response.headersSent || response.req.httpVersion === '1.0') return;
  const timer = setInterval(() => {
    if (response.headersSent) clearInterval(timer);
    // An answer without a socket waits for the one before it.
    else if (response.socket !== null) response.writeProcessing();
  }, limits.halfClosedProbeMs);
  response.once('close', () => clearInterval(timer));
}
