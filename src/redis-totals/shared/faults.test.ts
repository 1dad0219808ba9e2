import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedisCluster } from '../../../test/support/redis-cluster.ts';
import { startSentinel } from '../../../test/support/redis-sentinel.ts';
import { eventually } from '../../../test/support/redis.ts';
import { TonnageError } from '../../base/index.ts';
import { waveHash } from '../layout.ts';
import { slotOf } from '../../redis-link/index.ts';
import { Instance, type Sent } from './testing/instance.ts';
import type { TestStoreOptions } from '../testing/redis-store.ts';

const today = Math.floor(Date.now() / 86_400_000);

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-shared-faults-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Retries until Redis has no fault. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  await eventually('Redis has no fault', async () => {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof TonnageError) return false;
      throw error;
    }
  });
}

/** Two instances that both receive all events, ten at a time, and claim them in turns. */
class Pair {
  readonly #instances: readonly Instance[];
  #sent = 0;

  constructor(name: string, overrides: TestStoreOptions) {
    const files = ['one', 'two'].map((each) => join(directory, `${name}-${each}.sqlite`));
    this.#instances = files.map((file) => new Instance('', file, overrides));
  }

  async open(): Promise<void> {
    for (const instance of this.#instances) await instance.open();
  }

  async close(): Promise<void> {
    for (const instance of this.#instances) await instance.close();
  }

  async send(): Promise<void> {
    const events = Array.from({ length: 10 }, () => eventOf(++this.#sent));
    const order = this.#sent % 20 === 0 ? this.#instances : this.#instances.toReversed();
    for (const instance of order) {
      await instance.send(events);
      await untilDone(async () => {
        await instance.claim();
        await instance.settle();
      });
    }
  }

  get sent(): number {
    return this.#sent;
  }

  /** What each instance has counted after both have claimed everything. */
  async counted(): Promise<readonly number[]> {
    for (const instance of this.#instances) await untilDone(() => instance.finish());
    const accounts = await Promise.all(this.#instances.map(({ store }) => store.journal.accounts()));
    return accounts.map((each) => each.reduce((sum, account) => sum + Number(account.counted), 0));
  }
}

function eventOf(id: number): Sent {
  return { id, counts: { meter: 'pulls', day: today, dimensions: { org: 'a.org' }, quantity: 1 } };
}

test('each event counts once while the slot of the claims moves between the nodes of a Cluster', async () => {
  const cluster = await startRedisCluster(join(directory, 'cluster'));
  const pair = new Pair('cluster', { cluster: cluster.nodes });
  try {
    await pair.open();
    for (let index = 0; index < 3; index++) {
      await pair.send();
      const [owner, target] = [await cluster.ownerOf(slotOf(waveHash)), cluster.servers[index]];
      if (!target || owner === target) continue;
      const sending = { done: Promise.resolve() };
      const afterAnnounced = () => {
        sending.done = pair.send();
      };
      await cluster.moveSlot(slotOf(waveHash), target, { afterAnnounced });
      await sending.done;
    }
    await pair.send();
    const counted = await pair.counted();
    expect(counted.reduce((sum, each) => sum + each, 0)).toBe(pair.sent);
    expect(Math.min(...counted)).toBeGreaterThan(0);
  } finally {
    await pair.close();
    await cluster.stop();
  }
});

test('a failover loses no claim that has counted if minReplicas is set', async () => {
  const group = await startSentinel(join(directory, 'sentinel'));
  const sentinel = { name: group.name, addresses: group.sentinels };
  const pair = new Pair('sentinel', { sentinel, minReplicas: 1 });
  try {
    await pair.open();
    for (let index = 0; index < 5; index++) await pair.send();
    await group.failover();
    for (let index = 0; index < 5; index++) await pair.send();
    const counted = await pair.counted();
    expect(counted.reduce((sum, each) => sum + each, 0)).toBe(pair.sent);
    expect(Math.min(...counted)).toBeGreaterThan(0);
  } finally {
    await pair.close();
    await group.stop();
  }
});
