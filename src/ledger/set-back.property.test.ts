import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, it } from 'vitest';
import { scaled } from '../../test/support/long.ts';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { systemClock } from '../base/index.ts';
import { TestLedger } from '../care/testing/ledger.ts';
import { seeded } from '../redis-totals/write/testing/batches.ts';
import { openTestRedisStore } from '../redis-totals/testing/redis-store.ts';
import type { Store } from '../store/index.ts';
import type { Ledger } from './index.ts';
import { openTestLedger } from './testing/fixture.ts';

const redis = suiteRedis();
const meters = ['pulls', 'builds', 'scans'] as const;
const orgs = ['a.example', 'b.example'] as const;
const sideFiles = ['-wal', '-shm'] as const;

interface Opened {
  readonly store: Store;
  readonly ledger: Ledger;
}

/** A ledger over a real Redis, with every event that sets one of the two back. */
class World {
  readonly log: string[] = [];
  readonly #random: () => number;
  readonly #shared: boolean;
  readonly #ledger: TestLedger;
  #opened: Opened | undefined;
  /** Earlier copies of the file and of Redis. */
  readonly #files: string[] = [];
  readonly #dumps: string[] = [];
  #isHarmed = false;
  #sent = 0;

  constructor(seed: number, shared: boolean) {
    this.#random = seeded(seed);
    this.#shared = shared;
    this.#ledger = new TestLedger(mkdtempSync(join(redis.directory, 'ledger-')));
  }

  async begin(): Promise<void> {
    await redis.server.cli('flushall');
    rmSync(this.#dump, { force: true });
    await this.#open();
    // The initial content is in the file itself, not only in its write-ahead log.
    await this.#reopen();
  }

  async step(): Promise<void> {
    const steps = Object.entries(this.#steps);
    const [name, run] = steps[Math.floor(this.#random() * steps.length)] ?? [];
    this.log.push(name ?? '');
    await run?.();
  }

  /** Totals equal those of the ledger's file, or they are known to be incomplete. */
  async expectTrueTotals(): Promise<void> {
    const { ledger } = await this.#open();
    await eventually('totals are right, or known to be incomplete', async () => {
      return ledger.status().delivery?.gap !== undefined || (await this.#isExact());
    });
    const gap = ledger.status().delivery?.gap;
    if (!this.#isHarmed && gap !== undefined) throw new Error(`nothing was lost, and yet: ${gap}`);
  }

  /** After a rebuild, Redis equals the ledger's file, whatever happened before. */
  async expectRepaired(): Promise<void> {
    await this.#rebuild();
    await this.#commit();
    await this.expectTrueTotals();
  }

  async close(): Promise<void> {
    await this.#opened?.ledger.close(10_000);
    await this.#opened?.store.close();
    this.#opened = undefined;
  }

  readonly #steps: Readonly<Record<string, () => Promise<unknown>>> = {
    commit: () => this.#commit(),
    'commit more': () => this.#commit(),
    reopen: () => this.#reopen(),
    'copy the file': async () => {
      await this.close();
      const copy = join(this.#ledger.data, `copy-${this.#files.length}`);
      copyFileSync(this.#ledger.file, copy);
      this.#files.push(copy);
    },
    'replace the file by a copy': () => this.#replaceFile((copy) => this.#putBack(copy)),
    'restore a copy': () =>
      this.#replaceFile(async (copy) => void (await this.#ledger.care(redis.server.url).restore(copy))),
    'lose the write-ahead log': async () => {
      await this.#open();
      const checkpoint = join(this.#ledger.data, 'checkpoint');
      copyFileSync(this.#ledger.file, checkpoint);
      await this.#commit();
      await this.close();
      this.#putBack(checkpoint);
      this.#isHarmed = true;
    },
    'save Redis': async () => {
      const copy = join(this.#ledger.data, `dump-${this.#dumps.length}`);
      await redis.server.cli('save');
      copyFileSync(this.#dump, copy);
      this.#dumps.push(copy);
    },
    'take Redis back to a copy': async () => {
      const copy = this.#oneOf(this.#dumps);
      if (copy === undefined) return;
      await redis.server.kill();
      copyFileSync(copy, this.#dump);
      await redis.server.restart();
      this.#isHarmed = true;
    },
    'count while Redis is away': async () => {
      await redis.server.cli('save');
      await redis.server.kill();
      await this.#commit();
      if (this.#random() < 0.5) await this.#reopen();
      await redis.server.restart();
    },
    'empty Redis': async () => {
      await redis.server.cli('flushall');
      this.#isHarmed = true;
    },
    'lose the details of a day': async () => {
      await this.close();
      const keys = await redis.server.cli('keys', `{tonnage/${this.#oneOf(meters)}/*`);
      for (const key of keys.split('\n').filter((each) => each !== '')) await redis.server.cli('del', key);
      this.#isHarmed = true;
    },
    rebuild: () => this.#rebuild(),
  };

  get #dump(): string {
    return join(redis.directory, 'server', 'dump.rdb');
  }

  async #open(): Promise<Opened> {
    if (this.#opened) return this.#opened;
    const store = await openTestRedisStore(redis.server.url, this.#ledger.file, { shared: this.#shared });
    // In half of the runs the outbox deletes delivered batches at once.
    const keeps = this.#random() < 0.5 ? {} : { outboxKeepBytes: 0 };
    const ledger = await openTestLedger(store, { clock: systemClock, ...keeps });
    return (this.#opened = { store, ledger });
  }

  async #reopen(): Promise<void> {
    await this.close();
    await this.#open();
  }

  async #commit(): Promise<void> {
    const { ledger } = await this.#open();
    const count = 1 + Math.floor(this.#random() * 4);
    for (let i = 0; i < count; i += 1) {
      const repository = `repository-${Math.floor(this.#random() * 3)}`;
      const dimensions = { org: this.#oneOf(orgs) ?? 'c.example', arch: 'amd64', repository };
      const meter = this.#oneOf(meters) ?? 'pulls';
      await ledger.record([{ meter, dimensions, quantity: 1n }]);
      if (!this.#shared) continue;
      const identity = { source: '/ci', id: String((this.#sent += 1)) };
      const event = { kind: 'usage', meter, dimensions, quantity: 1n, time: systemClock.now(), ...identity } as const;
      // Before the instances have agreed on the hash, the ledger refuses events.
      await ledger.ingest([event]).catch(() => undefined);
    }
  }

  async #replaceFile(replace: (copy: string) => Promise<void> | void): Promise<void> {
    const copy = this.#oneOf(this.#files);
    if (copy === undefined) return;
    await this.close();
    await replace(copy);
    this.#isHarmed = true;
  }

  #putBack(copy: string): void {
    for (const side of sideFiles) rmSync(`${this.#ledger.file}${side}`, { force: true });
    copyFileSync(copy, this.#ledger.file);
  }

  async #rebuild(): Promise<void> {
    await this.close();
    await this.#ledger.care(redis.server.url).rebuild();
    this.#isHarmed = false;
  }

  /** Whether the sums and the details in Redis equal those of the ledger's file. */
  async #isExact(): Promise<boolean> {
    const { ledger } = await this.#open();
    const { delivery, claiming } = ledger.status();
    if ((delivery?.waiting ?? 0) > 0 || (claiming?.events ?? 0) > 0) return false;
    try {
      const [byOrg, byRepository] = await Promise.all([this.#answers(['org']), this.#answers(['org', 'repository'])]);
      const own = this.#own();
      return byOrg === sumsBy(own, 1) && byRepository === sumsBy(own, 2);
    } catch {
      return false;
    }
  }

  async #answers(by: readonly ('org' | 'repository')[]): Promise<string> {
    const { ledger } = await this.#open();
    const rows: Row[] = [];
    for (const meter of meters) {
      const answer = await ledger.query({ meter, window: 'total', by, where: {}, limit: 100, offset: 0 });
      for (const { dimensions, value } of answer.rows) {
        rows.push({ names: [meter, ...by.map((name) => dimensions[name] ?? '')], value });
      }
    }
    return sumsBy(rows, by.length);
  }

  #own(): readonly Row[] {
    const database = new DatabaseSync(this.#ledger.file, { readOnly: true, readBigInts: true });
    try {
      const sql = `select meter, org, repository, sum(value) as value from detail_day
        join series on series.id = detail_day.series group by 1, 2, 3`;
      return database
        .prepare(sql)
        .all()
        .map(({ meter, org, repository, value }) => ({
          names: [meter, org, repository].map(String),
          value: BigInt(String(value)),
        }));
    } finally {
      database.close();
    }
  }

  #oneOf<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}

interface Row {
  /** Meter, organisation, repository. */
  readonly names: readonly string[];
  readonly value: bigint;
}

/** Sums by meter and first names, as text to compare. */
function sumsBy(rows: readonly Row[], names: number): string {
  const sums = new Map<string, bigint>();
  for (const { names: all, value } of rows) {
    const key = all.slice(0, names + 1).join(' ');
    sums.set(key, (sums.get(key) ?? 0n) + value);
  }
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([key, sum]) => `${key} ${sum}`)
    .toSorted()
    .join('\n');
}

describe('a set-back ledger or Redis', () => {
  let world: World | undefined;
  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  it.each(
    Array.from({ length: scaled(4, 8) }, (_, index) => [index + 1, index % 4 === 3 ? 'shared' : 'instance'] as const),
  )(
    'never answers wrong totals as complete, and a rebuild repairs them (seed %i, dedupe %s)',
    async (seed, dedupe) => {
      world = new World(seed, dedupe === 'shared');
      await world.begin();
      try {
        for (let i = 0; i < scaled(6, 30); i += 1) {
          await world.step();
          await world.expectTrueTotals();
        }
        await world.expectRepaired();
      } catch (error) {
        throw new Error(`after ${world.log.join(', ')}`, { cause: error });
      }
    },
    600_000,
  );
});
