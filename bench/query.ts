/**
 * A year of a thousand organisations, each with 5 of its 50 repositories for 2 architectures a day (3.65 million cells): how
 * long a question by month and organisation takes on both stores while 20,000 pulls a second are being counted, and how
 * long those pulls wait for their commit. `npm run bench query`; BENCH_STORES=sqlite or redis for one of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../src/base/index.ts';
import type { Count, Ledger } from '../src/ledger/index.ts';
import type { Increment, UsageQuery } from '../src/usage/index.ts';
import { benchDirectory, openBenchLedger, openBenchRedis, openBenchSqlite, type BenchStore } from './support/ledger.ts';

const days = 365;
const organisations = 1_000;
const pullsPerSecond = 20_000;
/** Until the code that does it is compiled and the log of the fill is written back; printed on its own. */
const firstSeconds = 3;
const seconds = 15;
const tickMs = 5;

const directory = benchDirectory();
const today = Math.floor(Date.now() / 86_400_000);
const stores: Readonly<Record<string, (folder: string) => Promise<BenchStore>>> = {
  sqlite: openBenchSqlite,
  redis: openBenchRedis,
};

function cellsOf(day: number): readonly Increment[] {
  const cells: Increment[] = [];
  for (let org = 0; org < organisations; org++) {
    for (let used = 0; used < 5; used++) {
      for (const arch of ['amd64', 'arm64']) {
        const repository = `team${org}/image${(day * 7 + used * 11) % 50}`;
        const dimensions = { org: `org${org}.example`, arch, upstream: 'docker.io', repository };
        cells.push({ meter: 'pulls', day, quantity: BigInt(1 + ((day + org) % 9)), dimensions });
      }
    }
  }
  return cells;
}

async function fill(ledger: Ledger): Promise<void> {
  for (let day = today - days; day < today; day++) await ledger.backfill(cellsOf(day));
  while ((ledger.status().delivery?.waiting ?? 0) > 0) await sleep(20);
}

/** Counts pulls at an even pace, and answers how long each waited, in milliseconds. */
async function pull(ledger: Ledger, until: number): Promise<readonly number[]> {
  const waits: number[] = [];
  const under: Promise<unknown>[] = [];
  const began = performance.now();
  let done = 0;
  while (performance.now() < until) {
    const due = Math.floor(((performance.now() - began) / 1000) * pullsPerSecond);
    for (; done < due; done++) {
      const dimensions = {
        org: `org${done % organisations}.example`,
        arch: 'amd64',
        upstream: 'docker.io',
        repository: 'team/image',
      };
      const counts: readonly Count[] = [{ meter: 'pulls', dimensions, quantity: 1n }];
      const start = performance.now();
      under.push(Promise.resolve(ledger.record(counts)).then(() => waits.push(performance.now() - start)));
    }
    await sleep(tickMs);
  }
  await Promise.all(under);
  return waits;
}

async function ask(ledger: Ledger, until: number): Promise<readonly number[]> {
  const query: UsageQuery = {
    meter: 'pulls',
    from: today - days,
    to: today + 1,
    window: 'month',
    by: ['org'],
    where: {},
    limit: limits.queryRowsDefault,
    offset: 0,
  };
  const times: number[] = [];
  while (performance.now() < until) {
    const start = performance.now();
    const answer = await ledger.query(query);
    times.push(performance.now() - start);
    if (answer.rows.length !== limits.queryRowsDefault || answer.total < 1_000_000n)
      throw new Error('the answer is not whole');
    await sleep(100);
  }
  return times;
}

/** Asks and counts for a while; answers how long both took, in milliseconds. */
async function measure(ledger: Ledger, forSeconds: number) {
  const until = performance.now() + forSeconds * 1000;
  const [times, waits] = await Promise.all([ask(ledger, until), pull(ledger, until)]);
  return {
    questions: times.length,
    p50: Number(quantile(times, 0.5).toFixed(1)),
    p95: Number(quantile(times, 0.95).toFixed(1)),
    pulls: waits.length,
    pullP50: Number(quantile(waits, 0.5).toFixed(2)),
    pullP99: Number(quantile(waits, 0.99).toFixed(2)),
    unit: 'ms',
  };
}

function quantile(figures: readonly number[], share: number): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length * share)] ?? Number.NaN;
}

const asked = (process.env['BENCH_STORES'] ?? 'sqlite,redis').split(',');
for (const [name, openStore] of Object.entries(stores)) {
  if (!asked.includes(name)) continue;
  const { store, stop } = await openStore(directory);
  const ledger = await openBenchLedger(store);
  const began = performance.now();
  await fill(ledger);
  console.log(
    `  ${name}: ${days * organisations * 10} cells filled in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  console.log(`  the first ${firstSeconds} s: ${JSON.stringify(await measure(ledger, firstSeconds))}`);
  const figures = await measure(ledger, seconds);
  console.log(JSON.stringify({ bench: 'query', case: `a year by month and organisation, ${name}`, ...figures }));
  await ledger.close(10_000);
  await stop();
}
