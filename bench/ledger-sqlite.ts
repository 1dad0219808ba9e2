/**
 * Events with an identity into the embedded store, each batch committed and fsynced before it is acknowledged, with
 * millions of stored keys; against raw SQLite that inserts the same keys into a table. Candidates in turn, medians.
 */
import { randomFillSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { UsageEvent } from '../src/usage/index.ts';
import { caseLine } from './support/cases.ts';
import { benchDirectory, builds, openBenchLedger, openBenchSqlite } from './support/ledger.ts';
import { describe, inTurns, perSecond } from './support/turns.ts';

const held = Number(process.env['BENCH_KEYS'] ?? 5_000_000);
const perRound = 200_000;
const batchSize = 1_000;
/** Batches that are under way at once, as from so many clients. */
const inFlight = 32;
const rounds = 5;

const directory = benchDirectory();
const { store, stop } = await openBenchSqlite(directory);
const ledger = await openBenchLedger(store);

let rising = 0;
const risingId = (): string => `build-${String(++rising).padStart(12, '0')}`;

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
  await send(builds(perRound, randomUUID));
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

const measured = await inTurns(
  [
    perSecond('tonnage, random UUIDs', perRound, () => {
      const all = builds(perRound, randomUUID);
      return () => send(all);
    }),
    perSecond('tonnage, rising ids', perRound, () => {
      const all = builds(perRound, risingId);
      return () => send(all);
    }),
    perSecond('raw SQLite, random keys', perRound, () => {
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
await stop();
raw.close();
