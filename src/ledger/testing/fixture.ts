import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { systemClock, systemRandom, type Log } from '../../base/index.ts';
import { MetricSet, type MetricFamily } from '../../metric/index.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../ledger-file/index.ts';
import type { Store } from '../../store/index.ts';
import { openLedger, type Ledger, type LedgerOptions } from '../index.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The embedded store of a ledger, in its own directory for each test. */
export interface OwnStore {
  readonly directory: string;
  /** The open store. */
  readonly store: Store;
  /** Closes the store, and opens its file again. */
  reopen(overrides?: Partial<SqliteStoreOptions>): Promise<void>;
}

/** Opens a store before each test of the calling file, and closes it after the hooks of that file. */
export function ownStore(options: Partial<SqliteStoreOptions> = {}): OwnStore {
  let directory = '';
  let store: Store | undefined;
  const open = async (overrides: Partial<SqliteStoreOptions> = {}) => {
    const zone = { timeZone: 'UTC', acceptTimeZone: false };
    const file = join(directory, 'ledger.sqlite');
    store = await openSqliteStore({
      file,
      ...zone,
      clock: systemClock,
      random: systemRandom,
      ...options,
      ...overrides,
    });
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tonnage-ledger-'));
    return open();
  });
  afterEach(async () => {
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    get directory() {
      return directory;
    },
    get store() {
      if (!store) throw new Error('the store is open only during a test');
      return store;
    },
    async reopen(overrides) {
      await store?.close();
      await open(overrides);
    },
  };
}

/** A ledger over a store. `record` and `ingest` wait for the commit, however long the disk takes. */
export function openTestLedger(store: Store, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  return openLedger({
    store,
    clock: systemClock,
    log: silent,
    metrics: new MetricSet(),
    dimensions: ['org', 'arch', 'upstream', 'repository'],
    durability: 'strict',
    orgLabels: true,
    commitWaitMs: 60_000,
    ...options,
  });
}

/** The values of a counter, by label text. */
export function valuesOf(metrics: MetricSet, name: string): ReadonlyMap<string, number | bigint> {
  const family = metrics.gather().find((each) => each.name === name) as Extract<MetricFamily, { type: 'counter' }>;
  return new Map([...family.points].map(({ labels, value }) => [labels.text, value]));
}
