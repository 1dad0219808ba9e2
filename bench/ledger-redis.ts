/**
 * Events into a Redis: the way of Wave (up to seven awaited HINCRBY for each event, a hundred events at a time) against the
 * ledger's, whose outbox is fsynced before anything is acknowledged and which is timed until Redis has it all. The same
 * Redis, the same events, candidates in turn, medians. Checks the totals in Redis at the end.
 */
import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import type { Count } from '../src/ledger/index.ts';
import { waveFieldsOf } from '../src/usage/index.ts';
import { caseLine } from './support/cases.ts';
import { benchDirectory, builds, dimensionsOf, openBenchLedger, openBenchRedis } from './support/ledger.ts';
import { describe, inTurns, perSecond, type Candidate } from './support/turns.ts';

const rounds = 5;
const waveEvents = 10_000;
const waveAtOnce = 100;
const pulls = 1_000_000;
const pullsAtOnce = 4_096;
const keyedEvents = 300_000;
const batchSize = 1_000;
const batchesAtOnce = 32;

const { store, url, stop } = await openBenchRedis(benchDirectory());
const wave = createClient({ url });
await wave.connect();
const ledger = await openBenchLedger(store);

const today = Math.floor(Date.now() / 86_400_000);

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

const sent = { scans: 0, pulls: 0, builds: 0 };

/** Events a second, which are noted as sent. */
function candidate(
  meter: keyof typeof sent,
  name: string,
  count: number,
  prepare: () => () => Promise<void>,
): Candidate {
  return perSecond(name, count, () => {
    const run = prepare();
    return async () => {
      await run();
      sent[meter] += count;
    };
  });
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
      const all = builds(keyedEvents, randomUUID);
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
await wave.close();
await stop();
