import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';

/** A proxy in front of a registry that can pause in the middle of a blob. It changes nothing. */
export interface GatedProxy {
  readonly url: string;
  /** The requests so far, as `METHOD /path`. */
  readonly requests: readonly string[];
  /** From now on, sends only `bytes` bytes of a blob of `repository`, until the returned function is called. */
  hold(repository: string, bytes: number): () => void;
  stop(): Promise<void>;
}

interface Gate {
  readonly path: string;
  readonly bytes: number;
  readonly opened: Promise<void>;
}

export async function startGatedProxy(target: string): Promise<GatedProxy> {
  const requests: string[] = [];
  let gate: Gate | undefined;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const upstream = httpRequest(
      new URL(request.url ?? '', target),
      { method: request.method ?? 'GET', headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        const held = request.method === 'GET' && request.url?.startsWith(gate?.path ?? '-') === true ? gate : undefined;
        void passOn(answer, response, held);
      },
    );
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    hold(repository, bytes) {
      let open = (): void => undefined;
      const opened = new Promise<void>((resolve) => (open = resolve));
      gate = { path: `/v2/${repository}/blobs/`, bytes, opened };
      return open;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function passOn(answer: IncomingMessage, response: ServerResponse, gate: Gate | undefined): Promise<void> {
  let passed = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const free = gate === undefined ? chunk.byteLength : Math.max(gate.bytes - passed, 0);
      response.write(chunk.subarray(0, free));
      if (gate !== undefined && free < chunk.byteLength) {
        await gate.opened;
        response.write(chunk.subarray(free));
      }
      passed += chunk.byteLength;
    }
    response.end();
  } catch {
    response.destroy();
  }
}
