/**
 * Cached manifest requests per second, every one of them counted before it is answered (strict), against Debian's
 * docker-registry serving the same image, and nginx serving the same bytes as a static file, which counts nothing.
 * The client is wrk: one thread, 64 connections with keep-alive.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDockerUpstream } from '../test/support/docker-upstream.ts';
import { layer, mediaTypes, pushImage } from '../test/support/images.ts';
import { freePort, runProgram, startProgram, type Program } from '../test/support/program.ts';
import { startTonnage } from '../test/support/tonnage.ts';
import { caseLine } from './support/cases.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 5;
const seconds = 4;
const connections = 64;

async function requestsPerSecond(url: string): Promise<number> {
  const { stdout } = await runProgram('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '-H',
    `Accept: ${mediaTypes.manifest}`,
    url,
  ]);
  if (/Non-2xx/.test(stdout)) throw new Error(`not every answer was a success:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

async function startNginx(directory: string, body: Uint8Array): Promise<{ url: string; program: Program }> {
  const port = await freePort();
  // Its workers run as another user when it is started by root.
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'www'));
  writeFileSync(join(directory, 'www', 'manifest'), body);
  writeFileSync(
    join(directory, 'nginx.conf'),
    `worker_processes auto; daemon off; pid ${directory}/nginx.pid; error_log stderr;
events { worker_connections 256; }
http {
  access_log off; sendfile on; tcp_nopush on; open_file_cache max=10; keepalive_requests 10000000;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${port}; root ${directory}/www; default_type ${mediaTypes.manifest}; }
}
`,
  );
  const program = startProgram('nginx', ['-c', join(directory, 'nginx.conf'), '-p', directory, '-e', 'stderr']);
  const url = `http://127.0.0.1:${port}/manifest`;
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    )
      return { url, program };
    await sleep(50);
  }
  await program.stop('SIGTERM');
  throw new Error(`nginx does not answer:\n${program.output()}`);
}

const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
/** What was started, to be stopped however this ends. */
const stops: (() => Promise<unknown>)[] = [];

try {
  const upstream = await startDockerUpstream(directory);
  stops.push(() => upstream.stop());
  const layers = Array.from({ length: 5 }, () => layer(1_000));
  await pushImage(upstream.url, 'library/app', 'v1', { architecture: 'amd64', layers });
  const server = await startTonnage(directory, { upstreams: { lab: { url: upstream.url } } });
  stops.push(() => server.program.stop('SIGKILL'));
  const path = 'library/app/manifests/v1';
  const manifest = await (await fetch(`${server.url}/v2/lab/${path}`)).bytes();
  const nginx = await startNginx(directory, manifest);
  stops.push(() => nginx.program.stop('SIGTERM'));
  const candidate = (name: string, url: string): Candidate => ({ name, measure: () => requestsPerSecond(url) });
  const [ours, peer, still] = await inTurns(
    [
      candidate('Tonnage, each pull counted', `${server.url}/v2/lab/${path}`),
      candidate('docker-registry', `${upstream.url}/v2/${path}`),
      candidate('nginx, a static file', nginx.url),
    ],
    rounds,
  );
  if (!ours || !peer || !still) throw new Error('nothing was measured');
  for (const measured of [ours, peer, still]) console.log(describe(measured, 'requests/s'));
  const counted = (await server.pulls()).total;
  console.log(`${counted.toLocaleString('en')} pulls are in the ledger.`);
  const common = { bench: 'gateway-manifest', ours: ours.median, unit: 'requests/s', better: 'higher' } as const;
  console.log(
    caseLine({ ...common, case: 'cached manifest, counted strictly, vs docker-registry', peer: peer.median }),
  );
  console.log(
    caseLine({ ...common, case: 'cached manifest, counted strictly, vs nginx static file', peer: still.median }),
  );
} finally {
  await Promise.all(stops.map((stop) => stop()));
  rmSync(directory, { recursive: true, force: true });
}
