import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { systemClock, systemRandom } from '../../base/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { openGateway } from '../index.ts';

export interface ChildOptions {
  readonly directory: string;
  /** URL of the only upstream, `lab`. */
  readonly upstreamUrl: string;
  /** Size limit of files, to simulate a full disk. A multiple of 512. */
  readonly fileBytesMax?: number;
}

/** A gateway in a separate process, so that it can be limited or killed. */
export interface GatewayChild {
  readonly url: string;
  /** The log so far, one JSON object per line. */
  readonly lines: readonly string[];
  readonly process: ChildProcess;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** Starts a gateway. Resolves when it listens. */
export async function startChild(options: ChildOptions): Promise<GatewayChild> {
  const { directory, upstreamUrl, fileBytesMax } = options;
  const limit = fileBytesMax === undefined ? '' : `ulimit -f ${fileBytesMax / 512}; `;
  const script = `${limit}exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, process.execPath, fileURLToPath(import.meta.url), directory, upstreamUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const port = await new Promise<string>((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(line);
      if (line.startsWith('port ')) resolve(line.slice('port '.length));
    });
    child.once('exit', () => reject(new Error(`the gateway did not start: ${lines.join('\n')}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    lines,
    process: child,
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

/** The main function of the child process. */
async function serve(directory: string, url: string): Promise<void> {
  const line = (fields: object, message: string): void => {
    process.stdout.write(`${JSON.stringify({ message, ...fields })}\n`);
  };
  const gateway = await openGateway({
    upstreams: [{ name: 'lab', url, tagTtlMs: 60_000 }],
    defaultUpstream: 'lab',
    directory,
    factsWaitMs: 1_000,
    version: '0.0.0-test',
    admit: () => ({ kind: 'anonymous' }),
    record: () => {},
    recordEgress: () => {},
    metrics: new MetricSet(),
    clock: systemClock,
    random: systemRandom,
    log: { debug: line, info: line, warn: line, error: line },
  });
  const server = createServer((request, response) => {
    if (request.url === '/cache-failure') response.end(gateway.cacheFailure());
    else gateway.handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`);
  process.once('SIGTERM', () => {
    server.closeAllConnections();
    server.close(() => void gateway.close());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve(process.argv[2] ?? '', process.argv[3] ?? '');
}
