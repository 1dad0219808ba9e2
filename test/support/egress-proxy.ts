import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A forward proxy: tunnels by CONNECT, and plain requests with a whole URL. */
export interface EgressProxy {
  readonly url: string;
  /** The requests so far: `CONNECT host:port`, or a method and a URL. */
  readonly seen: string[];
  /** Number of accepted connections. */
  readonly connections: number;
  /** Answers every request with this status instead. */
  refuse?: number;
  /** Accepts requests and never answers them. */
  isSilent?: boolean;
  stop(): Promise<void>;
}

/** Starts one that maps each host to a loopback port. It requires `credentials` (`user:password`) if there are any. */
export async function startEgressProxy(
  hosts: Readonly<Record<string, number>>,
  credentials?: string,
): Promise<EgressProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  let taken = 0;
  const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;

  /** The status that rejects a request; undefined: it passes. */
  function refusal(request: IncomingMessage, port: number | undefined): number | undefined {
    if (proxy.refuse !== undefined) return proxy.refuse;
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) return 407;
    return port === undefined ? 502 : undefined;
  }

  const server: Server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (proxy.isSilent === true) return;
    const url = URL.parse(request.url ?? '');
    const port = url === null ? undefined : hosts[url.hostname];
    const refused = refusal(request, port);
    if (refused !== undefined || url === null) return void response.writeHead(refused ?? 400).end();
    const { 'proxy-authorization': _ours, ...headers } = request.headers;
    const path = url.pathname + url.search;
    const forwarded = send({ host: '127.0.0.1', port, method: request.method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    client.on('error', () => {});
    if (proxy.isSilent === true) return;
    const port = hosts[request.url?.replace(/:\d+$/, '') ?? ''];
    const refused = refusal(request, port);
    if (refused !== undefined || port === undefined) {
      client.end(`HTTP/1.1 ${refused} Refused\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    target.on('error', () => client.destroy());
    client.on('close', () => target.destroy());
  });
  server.on('connection', (socket: Socket) => {
    taken++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const proxy: EgressProxy = {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    seen,
    get connections() {
      return taken;
    },
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return proxy;
}
