/**
 * Events per second over HTTP: batches of a thousand CloudEvents with random UUIDs, each answered once it is committed and
 * fsynced; against a bare server that parses the same JSON and keeps nothing. Each server has one core for all its threads;
 * the client has another one.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { startProgram } from '../test/support/program.ts';
import { startTonnage } from '../test/support/tonnage.ts';
import { caseLine } from './support/cases.ts';
import { nodeOnOneCore } from './support/cores.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 5;
const batches = 200;
const batchSize = 1_000;
const connections = 8;

function batch(): string {
  const now = Date.now();
  const events = Array.from({ length: batchSize }, (_, index) => ({
    specversion: '1.0',
    type: 'tonnage.build',
    source: 'https://ci.example.org/farm',
    id: randomUUID(),
    time: new Date(now - index * 1_000).toISOString(),
    data: {
      org: `org${index % 50}.example.org`,
      arch: index % 2 === 0 ? 'amd64' : 'arm64',
      upstream: 'docker.io',
      repository: `team/image-${index % 20}`,
    },
  }));
  return JSON.stringify(events);
}

/** Sends fresh batches over a few connections; answers events per second, and adds each answer's time to `times`. */
async function eventsPerSecond(url: string, times: number[]): Promise<number> {
  const bodies = Array.from({ length: batches }, batch);
  const pool = new Pool(url, { connections });
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const started = performance.now();
  const send = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const sent = performance.now();
      const answer = await pool.request({ path: '/api/v1/events', method: 'POST', headers, body });
      const text = await answer.body.text();
      if (!text.startsWith(`{"accepted":${batchSize}`)) throw new Error(`not all were accepted: ${text.slice(0, 500)}`);
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
  const seconds = (performance.now() - started) / 1_000;
  await pool.close();
  return (batches * batchSize) / seconds;
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
}

const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
/** What was started, to be stopped however this ends. */
const stops: (() => Promise<unknown>)[] = [];

try {
  const node = await nodeOnOneCore(directory);
  const server = await startTonnage(directory, { upstreams: {} }, node);
  stops.push(() => server.program.stop('SIGKILL'));
  const bare = startProgram(node, [fileURLToPath(new URL('support/json-server.ts', import.meta.url))]);
  stops.push(() => bare.stop('SIGKILL'));
  const [bareUrl] = await bare.until(/http:\S+/);
  const times = { ours: [] as number[], peer: [] as number[] };
  const candidate = (name: string, url: string, into: number[]): Candidate => ({
    name,
    measure: () => eventsPerSecond(url, into),
  });
  const [ours, peer] = await inTurns(
    [
      candidate('Tonnage, each batch committed', server.url, times.ours),
      candidate('JSON.parse, nothing kept', bareUrl, times.peer),
    ],
    rounds,
  );
  if (!ours || !peer) throw new Error('nothing was measured');
  for (const measured of [ours, peer]) console.log(describe(measured, 'events/s'));
  console.log(
    `A batch is answered within ${percentile(times.ours, 0.5).toFixed(1)} ms (p50), ${percentile(times.ours, 0.99).toFixed(1)} ms (p99).`,
  );
  const what = 'CloudEvents over HTTP, committed, on one core, vs HTTP and JSON alone';
  console.log(
    caseLine({ bench: 'ingest', case: what, ours: ours.median, peer: peer.median, unit: 'events/s', better: 'higher' }),
  );
  const p99 = { ours: percentile(times.ours, 0.99), peer: percentile(times.peer, 0.99) };
  console.log(caseLine({ bench: 'ingest', case: `${what}: p99 of a batch`, ...p99, unit: 'ms', better: 'lower' }));
} finally {
  await Promise.all(stops.map((stop) => stop()));
  rmSync(directory, { recursive: true, force: true });
}
