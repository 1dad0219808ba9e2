/**
 * Scraping the page of a Debusine from a real server that reads the database once a second. How long a scrape of the
 * cached page takes (`zeroFill: bounded`), and how long the server's event loop is held by a read, by the first rendering
 * after it and by further scrapes of the largest page (`zeroFill: full`). BENCH_DATA names the data set.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startPostgres, type PostgresServer } from '../test/support/postgres.ts';
import { startTonnage, type Tonnage } from '../test/support/tonnage.ts';
import { median } from './support/cases.ts';
import { chosenDataSets, defaultSettings } from './support/debusine-data.ts';

const path = '/api/1.0/open-metrics/';
const scrapes = 1_000;
const paceMs = 20;
const reads = 10;
const intervalMs = 1_000;
const codings = ['gzip', 'identity'] as const;
type Coding = (typeof codings)[number];

const probe = pathToFileURL(join(import.meta.dirname, 'support', 'stall-probe.ts')).href;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Scrape {
  readonly ms: number;
  readonly bytes: number;
  readonly status: number;
  /** Time of the snapshot, in whole seconds. */
  readonly modified: string;
}

/** One scrape, as Prometheus does it, to the last byte of the body. */
function scrape(server: Tonnage, coding: Coding): Promise<Scrape> {
  const asked = { accept: 'application/openmetrics-text;version=1.0.0', 'accept-encoding': coding };
  const { promise, resolve, reject } = Promise.withResolvers<Scrape>();
  const begun = performance.now();
  get(`${server.url}${path}`, { agent, headers: asked }, (response) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({ ms: performance.now() - begun, bytes, status, modified: headers['last-modified'] ?? '' });
    });
    response.on('error', reject);
  }).on('error', reject);
  return promise;
}

/** Starts a server over the database, and waits for its first snapshot. */
async function startServer(directory: string, dsn: string, zeroFill: string): Promise<Tonnage> {
  const dsnFile = join(directory, 'dsn');
  writeFileSync(dsnFile, dsn, { mode: 0o600 });
  const sources = [{ name: 'bench', driver: 'debusine', dsnFile, interval: `${intervalMs}ms`, zeroFill }];
  const env = { NODE_OPTIONS: `--import=${probe}` };
  const server = await startTonnage(join(directory, zeroFill), { sources }, process.execPath, env);
  for (let tries = 0; (await scrape(server, 'identity')).status !== 200; tries++) {
    if (tries === 300) throw new Error(`the server has no snapshot:\n${server.program.output()}`);
    await sleep(100);
  }
  return server;
}

/** The longest time in ms that the server's event loop was held while `work` ran. */
async function stallDuring(server: Tonnage, work: () => Promise<unknown>): Promise<number> {
  const ask = async () => {
    const seen = server.program.output().length;
    server.program.child.kill('SIGUSR2');
    for (;;) {
      const match = /^stall: ([\d.]+) ms$/m.exec(server.program.output().slice(seen));
      if (match) return Number(match[1]);
      await sleep(5);
    }
  };
  await ask();
  await work();
  return ask();
}

/** The time of scrapes at an even pace while the server reads the database once a second. */
async function measureScrapes(server: Tonnage, coding: Coding): Promise<void> {
  const snapshots = new Set<string>();
  const times: number[] = [];
  let bytes = 0;
  const begun = performance.now();
  for (let index = 0; index < scrapes; index++) {
    await sleep(Math.max(0, begun + index * paceMs - performance.now()));
    const one = await scrape(server, coding);
    if (one.status !== 200) throw new Error(`expected 200, got ${one.status}`);
    times.push(one.ms);
    snapshots.add(one.modified);
    bytes = one.bytes;
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2));
  const figures = {
    bytes,
    scrapes,
    snapshots: snapshots.size,
    p50: at(0.5),
    p99: at(0.99),
    max: at(0.9999),
    unit: 'ms',
  };
  console.log(JSON.stringify({ bench: 'debusine-scrape', case: `cached page, ${coding}`, ...figures }));
}

/** How long the event loop is held by reads alone, by the first scrape after each read, and by further ones. */
async function measureStalls(server: Tonnage): Promise<void> {
  const read = await stallDuring(server, () => sleep(reads * intervalMs));
  console.log(`full page: a read holds the event loop for at most ${read.toFixed(1)} ms`);
  for (const coding of codings) {
    const first: number[] = [];
    const times: number[] = [];
    const stall = await stallDuring(server, async () => {
      for (let round = 0; round < reads; round++) {
        await sleep(intervalMs);
        const { ms, bytes } = await scrape(server, coding);
        first.push(bytes);
        times.push(ms);
      }
    });
    const further = await stallDuring(server, async () => {
      for (let round = 0; round < 50; round++) await scrape(server, coding);
    });
    console.log(
      `full page, ${coding}, ${median(first)} bytes: the first scrape after a read takes ${median(times).toFixed(1)} ms; ` +
        `it and the read hold the event loop for at most ${stall.toFixed(1)} ms, further scrapes for ${further.toFixed(1)} ms`,
    );
  }
}

const [data] = chosenDataSets();
if (data === undefined) throw new Error('expected a data set in BENCH_DATA');
const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
// PostgreSQL runs as another user, which owns its folder.
const serverDirectory = mkdtempSync(join(tmpdir(), 'tonnage-bench-postgres-'));
const servers: Tonnage[] = [];
let postgres: PostgresServer | undefined;
try {
  postgres = await startPostgres(serverDirectory, { settings: defaultSettings });
  const dsn = postgres.dsn(await data.create(postgres));
  console.log(`${data.name}: ${data.origin}`);
  for (const zeroFill of ['bounded', 'full']) {
    const server = await startServer(directory, dsn, zeroFill);
    servers.push(server);
    if (zeroFill === 'full') await measureStalls(server);
    else for (const coding of codings) await measureScrapes(server, coding);
    await server.program.stop();
  }
} finally {
  agent.destroy();
  await Promise.all(servers.map((server) => server.program.stop('SIGKILL')));
  await postgres?.stop();
  for (const each of [directory, serverDirectory]) rmSync(each, { recursive: true, force: true });
}
