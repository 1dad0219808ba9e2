import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom, type Log } from '../../src/base/index.ts';
import { openLedger, type Ledger } from '../../src/ledger/index.ts';
import { MetricSet } from '../../src/metric/index.ts';
import { openSqliteStore } from '../../src/ledger-file/index.ts';
import { testRemote } from '../../src/redis-totals/testing/redis-store.ts';
import type { Store } from '../../src/store/index.ts';
import type { UsageEvent } from '../../src/usage/index.ts';
import { startRedis } from '../../test/support/redis.ts';

const log: Log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
const common = { timeZone: 'UTC', acceptTimeZone: false, clock: systemClock, random: systemRandom };

/** A store with what it runs on. */
export interface BenchStore {
  readonly store: Store;
  /** Closes it, and ends what it runs on. */
  readonly stop: () => Promise<void>;
}

/** A directory that is gone when the process ends. */
export function benchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The embedded store, with its file in `directory`. */
export async function openBenchSqlite(directory: string): Promise<BenchStore> {
  const store = await openSqliteStore({ ...common, file: join(directory, 'sqlite.sqlite') });
  return { store, stop: () => store.close() };
}

/** A store over a Redis of its own, with the data of both in `directory`, and the address of that Redis. */
export async function openBenchRedis(directory: string): Promise<BenchStore & { readonly url: string }> {
  const redis = await startRedis(join(directory, 'redis'));
  const remote = testRemote(redis.url, { log });
  const store = await openSqliteStore({ ...common, file: join(directory, 'redis.sqlite'), remote });
  return {
    store,
    url: redis.url,
    stop: async () => {
      await store.close();
      await redis.stop();
    },
  };
}

/** A ledger with the default configuration, except that it always waits for the commit, so that timings include it. */
export function openBenchLedger(store: Store): Promise<Ledger> {
  return openLedger({
    store,
    clock: systemClock,
    log,
    metrics: new MetricSet(),
    dimensions: ['org', 'arch', 'upstream', 'repository'],
    durability: 'strict',
    orgLabels: false,
    commitWaitMs: 60_000,
  });
}

/** The counted dimensions: 100 organisations, 2 architectures, 10 repositories. */
export const dimensionsOf = (index: number) => ({
  org: `org${index % 100}.example`,
  arch: index % 2 ? 'amd64' : 'arm64',
  upstream: 'docker.io',
  repository: `team/image${index % 10}`,
});

/** Builds of this moment, each with an identity from `id`. */
export function builds(count: number, id: () => string): readonly UsageEvent[] {
  const time = Date.now();
  return Array.from({ length: count }, (_, index) => ({
    kind: 'usage',
    source: 'https://ci.example.org/builds',
    id: id(),
    meter: 'builds',
    time,
    quantity: 1n,
    dimensions: dimensionsOf(index),
  }));
}
