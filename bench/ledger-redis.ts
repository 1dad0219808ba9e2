/**
 * Events into a Redis: the way of Wave (up to seven awaited HINCRBY for each event, a hundred events at a time) against the
 * ledger's, whose outbox is fsynced before anything is acknowledged and which is timed until Redis has it all. The same
 * Redis, the same events, candidates in turn, medians. What Redis holds in the end is checked.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { systemClock, systemRandom, type Log } from '../src/base/index.ts';
import { openLedger, type Count } from '../src/ledger/index.ts';
import { MetricSet } from '../src/metric/index.ts';
import { openRedisStore } from '../src/store/drivers/redis.ts';
import { waveFieldsOf, type UsageEvent } from '../src/usage/index.ts';
import { startRedis } from '../test/support/redis.ts';
import { caseLine } from './support/cases.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 5;
const waveEvents = 10_000;
const waveAtOnce = 100;
const pulls = 1_000_000;
const pullsAtOnce = 4_096;
const keyedEvents = 300_000;
const batchSize = 1_000;
const batchesAtOnce = 32;

const log: Log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const redis = await startRedis(join(directory, 'redis'));
const wave = createClient({ url: redis.url });
await wave.connect();
const store = await openRedisStore({
  file: join(directory, 'ledger.sqlite'),
  timeZone: 'UTC',
  acceptTimeZone: false,
  clock: systemClock,
  random: systemRandom,
  log,
  redis: { mode: 'standalone', url: redis.url, clock: systemClock, log },
  detailDays: 400,
  allowEviction: false,
  minReplicas: 0,
  besideWave: false,
  shared: false,
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

const today = Math.floor(Date.now() / 86_400_000);
const dimensionsOf = (index: number) => ({
  org: `org${index % 100}.example`,
  arch: index % 2 ? 'amd64' : 'arm64',
  upstream: 'docker.io',
  repository: `team/image${index % 10}`,
});

/** Runs `work` for 0, 1, 2... up to `count`, so many at a time. */
async function atOnce(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

async function countAsWave(index: number): Promise<void> {
  const { org, arch } = dimensionsOf(index);
  for (const field of waveFieldsOf({ meter: 'scans', day: today, org, arch }))
    await wave.hIncrBy('metrics/v1', field, 1);
}

async function untilDelivered(): Promise<void> {
  while ((ledger.status().delivery?.waiting ?? 0) > 0) await new Promise((resolve) => setImmediate(resolve));
}

const counts: readonly (readonly Count[])[] = Array.from({ length: 1_000 }, (_, index) => [
  { meter: 'pulls', dimensions: dimensionsOf(index), quantity: 1n },
]);

function builds(): readonly UsageEvent[] {
  const time = Date.now();
  return Array.from({ length: keyedEvents }, (_, index) => ({
    kind: 'usage',
    source: 'https://ci.example.org/builds',
    id: randomUUID(),
    meter: 'builds',
    time,
    quantity: 1n,
    dimensions: dimensionsOf(index),
  }));
}

const sent = { scans: 0, pulls: 0, builds: 0 };

/** Events a second; `prepare` is not timed. */
function candidate(
  meter: keyof typeof sent,
  name: string,
  count: number,
  prepare: () => () => Promise<void>,
): Candidate {
  return {
    name,
    async measure() {
      const run = prepare();
      globalThis.gc?.();
      const start = performance.now();
      await run();
      sent[meter] += count;
      return count / ((performance.now() - start) / 1000);
    },
  };
}

const measured = await inTurns(
  [
    candidate(
      'scans',
      "Wave's way, 100 at a time",
      waveEvents,
      () => () => atOnce(waveEvents, waveAtOnce, countAsWave),
    ),
    candidate('pulls', 'tonnage, pulls', pulls, () => async () => {
      await atOnce(pulls, pullsAtOnce, async (index) => ledger.record(counts[index % counts.length] ?? []));
      await untilDelivered();
    }),
    candidate('builds', 'tonnage, keyed events by 1,000', keyedEvents, () => {
      const all = builds();
      return async () => {
        await atOnce(keyedEvents / batchSize, batchesAtOnce, (index) =>
          ledger.ingest(all.slice(index * batchSize, (index + 1) * batchSize)),
        );
        await untilDelivered();
      };
    }),
  ],
  rounds,
);
for (const one of measured) console.log(`  ${describe(one, 'events/s')}`);
for (const [meter, expected] of Object.entries(sent)) {
  const held = Number(
    await wave.hGet('metrics/v1', `${meter}/d/${new Date(today * 86_400_000).toISOString().slice(0, 10)}`),
  );
  if (held !== expected) throw new Error(`${meter}: ${expected} events were sent, Redis holds ${held}`);
}
const [peer, ...ours] = measured;
for (const one of ours) {
  const figures = { ours: one.median, peer: peer?.median ?? Number.NaN, unit: 'events/s', better: 'higher' } as const;
  console.log(caseLine({ bench: 'ledger-redis', case: `${one.name} vs ${peer?.name}`, ...figures }));
}
await ledger.close(10_000);
await store.close();
await wave.close();
await redis.stop();
