/**
 * Events per second over HTTP: batches of a thousand CloudEvents with random UUIDs, each answered once it is committed and
 * fsynced; beside a bare server that parses the same JSON and keeps nothing. The client shares the machine.
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

const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
/** What was started, to be stopped however this ends. */
const stops: (() => Promise<unknown>)[] = [];

try {
  const server = await startTonnage(directory, { upstreams: {} });
  stops.push(() => server.program.stop('SIGKILL'));
  const bare = startProgram(process.execPath, [fileURLToPath(new URL('support/json-server.ts', import.meta.url))]);
  stops.push(() => bare.stop('SIGKILL'));
  const [bareUrl] = await bare.until(/http:\S+/);
  const times: number[] = [];
  const candidate = (name: string, url: string, into: number[]): Candidate => ({
    name,
    measure: () => eventsPerSecond(url, into),
  });
  const [ours, peer] = await inTurns(
    [candidate('Tonnage, each batch committed', server.url, times), candidate('JSON.parse, nothing kept', bareUrl, [])],
    rounds,
  );
  if (!ours || !peer) throw new Error('nothing was measured');
  for (const measured of [ours, peer]) console.log(describe(measured, 'events/s'));
  const sorted = times.toSorted((a, b) => a - b);
  const percentile = (share: number): string => `${(sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)} ms`;
  console.log(`A batch is answered within ${percentile(0.5)} (p50), ${percentile(0.99)} (p99).`);
  const name = 'CloudEvents over HTTP, committed, vs HTTP and JSON alone';
  console.log(
    caseLine({ bench: 'ingest', case: name, ours: ours.median, peer: peer.median, unit: 'events/s', better: 'higher' }),
  );
} finally {
  await Promise.all(stops.map((stop) => stop()));
  rmSync(directory, { recursive: true, force: true });
}
