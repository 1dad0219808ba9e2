import { createServer, type IncomingMessage } from 'node:http';

/** What a server of a test answers: a status with a body, or nothing, ever. */
export type Reply = { readonly status: number; readonly body: string } | 'hangs' | 'breaks';

export interface JsonServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: readonly IncomingMessage[];
  /** What it answers from now on. */
  answer(reply: (request: IncomingMessage) => Reply): void;
  close(): Promise<void>;
}

export const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) });

/** A real HTTP server on a loopback port of its own. */
export async function startJsonServer(): Promise<JsonServer> {
  let reply: (request: IncomingMessage) => Reply = () => json({}, 404);
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const next = reply(request);
    if (next === 'breaks') request.socket.destroy();
    if (typeof next === 'string') return;
    response.writeHead(next.status, { 'Content-Type': 'application/json' });
    response.end(next.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server that listens has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer: (next) => void (reply = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
