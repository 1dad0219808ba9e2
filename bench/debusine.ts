/**
 * Collecting and rendering the page of a Debusine (`zeroFill: full`, so that both give the same samples), against a plain
 * collector in Python: psycopg, one query per family, prometheus_client. PostgreSQL runs with its default settings and
 * with no index that a Debusine does not have. Then the same with two indexes, and `artifact_file_size` without and with
 * its summary table. BENCH_DATA names the data sets: `medium` (the default), `large`, `generated`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installSystemPackages } from '../scripts/setup/system.mjs';
import { installSteps } from '../src/collector/drivers/debusine/summary/script.ts';
import { differences, samplesOf } from '../src/collector/drivers/debusine/testing/samples.ts';
import { pythonWith } from '../test/support/installed.ts';
import { startPostgres, type PostgresServer } from '../test/support/postgres.ts';
import { caseLine, median } from './support/cases.ts';
import { chosenDataSets, defaultSettings, type DataSet } from './support/debusine-data.ts';
import { figure, startPageProcess, type PageProcess } from './support/page-process.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 9;
const mebibyte = 2 ** 20;
const source = 'Debusine 0.12.1 itself on this data set, Python 3.11, two cores';

const script = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

/** What this benchmark needs on top of the programs of the tests. */
const packages = [
  {
    name: 'python3-psycopg',
    module: 'psycopg',
    use: 'the database client of the collector that ours is compared with',
  },
  { name: 'python3-prometheus-client', module: 'prometheus_client', use: 'its registry and rendering' },
  { name: 'postgresql', command: 'postgres', use: 'the database that both read' },
];

/** Two indexes that help, and that a Debusine does not have. */
const indexes = `
  CREATE INDEX ON db_artifact (workspace_id, category);
  CREATE INDEX ON db_workrequest (workspace_id, created_by_id, created_at) WHERE parent_id IS NULL AND task_type = 'Workflow';
  VACUUM ANALYZE`;

/** Both sides on one database. */
interface Sides {
  readonly ours: PageProcess;
  readonly peer: PageProcess;
}

async function withSides(dsn: string, now: Date, use: (sides: Sides) => Promise<void>): Promise<void> {
  const ours = startPageProcess(process.execPath, [script('debusine-process.ts'), dsn, now.toISOString(), 'full']);
  const python = pythonWith('psycopg, prometheus_client');
  const peer = startPageProcess(python, [script('debusine-peer.py'), dsn, now.toISOString().replace('Z', '+00:00')]);
  try {
    await use({ ours, peer });
  } finally {
    await Promise.all([ours.stop(), peer.stop()]);
  }
}

/** Compares both pages as sets of samples. Throws if they differ. */
async function compare({ ours, peer }: Sides): Promise<void> {
  const samples = async (side: PageProcess, name: string) => {
    const file = join(directory, name);
    await side.ask(`page ${file}`);
    return samplesOf(readFileSync(file, 'utf8'));
  };
  const own = await samples(ours, 'ours.txt');
  const different = differences(own, await samples(peer, 'peer.txt'));
  if (different.length > 0) throw new Error(`the pages differ:\n${different.join('\n')}`);
  console.log(`both pages have the same ${own.size.toLocaleString('en')} samples`);
}

/** Milliseconds for a page of each side, in turns. */
async function measurePages({ ours, peer }: Sides, what: string): Promise<{ ours: number; peer: number }> {
  const parts: Record<string, number[]> = { rendering: [], queries: [] };
  const candidate = (name: string, side: PageProcess, part: string, partName: string): Candidate => ({
    name: `${name}${what}`,
    async measure() {
      const figures = await side.ask('time');
      parts[partName]?.push(figure(figures, part));
      return figure(figures, 'ms');
    },
  });
  const measured = await inTurns(
    [
      candidate('Tonnage', ours, 'renderMs', 'rendering'),
      candidate('psycopg, prometheus_client', peer, 'queryMs', 'queries'),
    ],
    rounds,
  );
  for (const one of measured) console.log(describe(one, 'ms'));
  const [first, second] = measured;
  if (!first || !second) throw new Error('nothing was measured');
  const of = (name: string) => median(parts[name] ?? []).toFixed(1);
  console.log(`  rendering took ${of('rendering')} ms of ours, and the queries ${of('queries')} ms of the other`);
  return { ours: first.median, peer: second.median };
}

async function measureFileSizes(ours: PageProcess, name: string): Promise<number> {
  const measure = async () => figure(await ours.ask('family artifact_file_size'), 'ms');
  const [measured] = await inTurns([{ name, measure }], 3);
  if (!measured) throw new Error('nothing was measured');
  console.log(describe(measured, 'ms'));
  return measured.median;
}

/** How far collecting raises the memory of a process, in bytes. Whatever it takes to start does not count. */
async function memoryRise(dsn: string, now: Date): Promise<number> {
  const ours = startPageProcess(process.execPath, [script('debusine-process.ts'), dsn, now.toISOString(), 'full']);
  try {
    const before = figure(await ours.ask('memory'), 'now');
    for (let round = 0; round < 10; round++) await ours.ask('time');
    return figure(await ours.ask('memory'), 'peak') - before;
  } finally {
    await ours.stop();
  }
}

async function measureDataSet(server: PostgresServer, data: DataSet): Promise<readonly string[]> {
  console.log(`${data.name}: ${data.origin}`);
  const begun = performance.now();
  const database = await data.create(server);
  console.log(`loaded in ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  const dsn = server.dsn(database);
  const lines: string[] = [];
  const line = (name: string, figures: { readonly ours: number; readonly peer: number }) =>
    lines.push(caseLine({ bench: 'debusine', case: `${data.name}: ${name}`, ...figures, unit: 'ms', better: 'lower' }));

  await withSides(dsn, data.now, async (sides) => {
    await compare(sides);
    line('collect and render', await measurePages(sides, ''));
    if (data.quotedMs !== undefined) console.log(`quoted, not run here: ${data.quotedMs} ms (${source})`);
    const plain = await measureFileSizes(sides.ours, 'artifact_file_size');
    for (const step of installSteps) await server.sql(database, step);
    const summed = await measureFileSizes(sides.ours, 'artifact_file_size, with the summary');
    line('artifact_file_size, with its summary vs without', { ours: summed, peer: plain });
  });
  await server.sql(database, indexes);
  await withSides(dsn, data.now, async (sides) => {
    line('collect and render, both with two more indexes', await measurePages(sides, ', two more indexes'));
  });
  const rise = await memoryRise(dsn, data.now);
  console.log(`collecting and rendering raise the memory of the process by ${(rise / mebibyte).toFixed(0)} MiB`);
  return lines;
}

const chosen = chosenDataSets();
await installSystemPackages((line) => console.log(line), packages);
const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
// PostgreSQL runs as another user, which owns its folder.
const serverDirectory = mkdtempSync(join(tmpdir(), 'tonnage-bench-postgres-'));
let server: PostgresServer | undefined;
try {
  server = await startPostgres(serverDirectory, { settings: defaultSettings });
  const lines: string[] = [];
  for (const data of chosen) lines.push(...(await measureDataSet(server, data)));
  for (const line of lines) console.log(line);
} finally {
  await server?.stop();
  for (const each of [directory, serverDirectory]) rmSync(each, { recursive: true, force: true });
}
