import { once } from 'node:events';
import { createServer, request as send } from 'node:http';

/** One exchange as it went over the wire. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Without parameters. */
  readonly type: string;
  readonly digest: string;
}

/** A proxy that records the requests of a client and their answers, and changes nothing. */
export interface RecordingProxy {
  readonly port: number;
  readonly exchanges: readonly Recorded[];
  /** Sends requests to this server from now on. */
  target(url: string): void;
  stop(): Promise<void>;
}

/** Starts one on a free loopback port. */
export async function startRecordingProxy(url: string): Promise<RecordingProxy> {
  const exchanges: Recorded[] = [];
  let target = new URL(url);
  const server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const forwarded = send({ host: target.hostname, port: target.port, method, path, headers }, (answer) => {
      exchanges.push({
        method,
        path,
        status: answer.statusCode ?? 0,
        type: (answer.headers['content-type'] ?? '').split(';')[0] ?? '',
        digest: String(answer.headers['docker-content-digest'] ?? ''),
      });
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    exchanges,
    target: (next) => void (target = new URL(next)),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
