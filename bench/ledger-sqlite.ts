/**
 * Events with an identity into the embedded store, each batch committed and fsynced before it is acknowledged, with
 * millions of keys held already; beside raw SQLite that inserts the same keys into a table. Candidates in turn, medians.
 */
import { randomFillSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock, systemRandom, type Log } from '../src/base/index.ts';
import { openLedger } from '../src/ledger/index.ts';
import { MetricSet } from '../src/metric/index.ts';
import { openSqliteStore } from '../src/store/drivers/sqlite.ts';
import type { UsageEvent } from '../src/usage/index.ts';
import { caseLine } from './support/cases.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const held = Number(process.env['BENCH_KEYS'] ?? 5_000_000);
const perRound = 200_000;
const batchSize = 1_000;
/** Batches that are under way at once, as from so many clients. */
const inFlight = 32;
const rounds = 5;

const log: Log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

const store = await openSqliteStore({
  file: join(directory, 'ledger.sqlite'),
  timeZone: 'UTC',
  acceptTimeZone: false,
  clock: systemClock,
  random: systemRandom,
});
const ledger = await openLedger({
  store,
  clock: systemClock,
  log,
  metrics: new MetricSet(),
  dimensions: ['org', 'arch', 'upstream', 'repository'],
  durability: 'strict',
  orgLabels: false,
  commitWaitMs: 60_000,
});

let rising = 0;
const risingId = (): string => `build-${String(++rising).padStart(12, '0')}`;

function events(count: number, id: () => string): readonly UsageEvent[] {
  const now = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    kind: 'usage',
    source: 'https://ci.example.org/builds',
    id: id(),
    meter: 'builds',
    time: now,
    quantity: 1n,
    dimensions: {
      org: `org${index % 100}.example`,
      arch: index % 2 ? 'amd64' : 'arm64',
      upstream: 'docker.io',
      repository: `team/image${index % 10}`,
    },
  }));
}

async function send(all: readonly UsageEvent[]): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < all.length) {
      const batch = all.slice(next, (next += batchSize));
      const results = await ledger.ingest(batch);
      if (results.some(({ status }) => status !== 'accepted')) throw new Error('an event was not accepted');
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
}

const raw = new DatabaseSync(join(directory, 'raw.sqlite'));
raw.exec(
  'pragma journal_mode = wal; pragma synchronous = full; create table keys (key blob primary key) without rowid',
);
const insert = raw.prepare('insert or ignore into keys (key) values (?)');
function insertRaw(keys: readonly Uint8Array[]): void {
  for (let next = 0; next < keys.length; next += batchSize) {
    raw.exec('begin immediate');
    for (const key of keys.slice(next, next + batchSize)) insert.run(key);
    raw.exec('commit');
  }
}
const randomKeys = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => randomFillSync(new Uint8Array(16)));

for (let done = 0; done < held; done += perRound) {
  await send(events(perRound, randomUUID));
}
// In their order, which is the quickest way to fill a table; the measured ones come in none.
const filling = randomKeys(held).toSorted((a, b) => Buffer.compare(a, b));
raw.exec('begin');
for (const key of filling) insert.run(key);
raw.exec('commit');
filling.length = 0;
globalThis.gc?.();
console.log(
  `  ${held} keys held; resident ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB with both candidates`,
);

function candidate(name: string, prepare: () => () => Promise<void> | void): Candidate {
  return {
    name,
    async measure() {
      const run = prepare();
      globalThis.gc?.();
      const start = performance.now();
      await run();
      return perRound / ((performance.now() - start) / 1000);
    },
  };
}

const measured = await inTurns(
  [
    candidate('tonnage, random UUIDs', () => {
      const all = events(perRound, randomUUID);
      return () => send(all);
    }),
    candidate('tonnage, rising ids', () => {
      const all = events(perRound, risingId);
      return () => send(all);
    }),
    candidate('raw SQLite, random keys', () => {
      const keys = randomKeys(perRound);
      return () => insertRaw(keys);
    }),
  ],
  rounds,
);
for (const one of measured) console.log(`  ${describe(one, 'events/s')}`);
const [random, inOrder, plain] = measured;
for (const ours of [random, inOrder]) {
  console.log(
    caseLine({
      bench: 'ledger-sqlite',
      case: `${ours?.name} vs raw SQLite`,
      ours: ours?.median ?? Number.NaN,
      peer: plain?.median ?? Number.NaN,
      unit: 'events/s',
      better: 'higher',
    }),
  );
}
await ledger.close(10_000);
await store.close();
raw.close();
