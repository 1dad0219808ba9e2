import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ForkedHistory, systemClock, TonnageError, type Log } from '../base/index.ts';
import type { Delivered, OutboxBatch, RemoteTotals } from '../store/index.ts';
import { eventually } from '../../test/support/redis.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { ownStore, silent } from './testing/fixture.ts';

const own = ownStore({ outboxBytesMax: 1_000_000 });
const deliveries: Delivery[] = [];

beforeEach(() => {
  committed = 0;
});
afterEach(async () => {
  for (const delivery of deliveries.splice(0)) await delivery.close(0);
});

/**
 * The target of batches: the contract of a remote store and nothing else, with failures and losses on demand. (The
 * suites of `redis-totals/` and the end-to-end tests use a real Redis.)
 */
class Target implements RemoteTotals {
  kept = 0;
  confirmed = 0;
  broken: Error | undefined;
  asked = 0;
  /** Numbers of all delivered batches, in order. */
  readonly log: number[] = [];
  /** A part of the store that has lost all batches after `to`, and needs batch `needs`. */
  lost: { readonly to: number; readonly needs: number } | undefined;
  /** Fields that each delivery reports as rejected. */
  rejected: readonly string[] = [];

  async position(): Promise<number> {
    this.asked++;
    if (this.broken) throw this.broken;
    const first = own.store.journal.outbox?.status().first ?? committed + 1;
    if (this.kept < first - 1) throw new TonnageError('ledger_gap', `batches after ${this.kept} are gone`);
    return this.kept;
  }

  async deliver(batches: readonly OutboxBatch[]): Promise<Delivered> {
    if (this.broken) throw this.broken;
    for (const { number } of batches) {
      if (this.lost && number === this.lost.needs) this.lost = undefined;
      if (this.lost && number > this.lost.needs) return this.#rewind(this.lost);
      this.log.push(number);
      this.kept = Math.max(this.kept, number);
    }
    return { kind: 'delivered', rejected: this.rejected };
  }

  #rewind({ to, needs }: { readonly to: number; readonly needs: number }): Delivered {
    const first = own.store.journal.outbox?.status().first ?? 0;
    if (needs < first) throw new TonnageError('ledger_gap', `batch ${needs} is gone`);
    return { kind: 'rewind', to: Math.max(to, first - 1) };
  }

  query(): never {
    throw new Error('no test queries this store');
  }

  async forgetDetails(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}

/** Number of the last committed batch. */
let committed = 0;

async function commit(from: number, to: number): Promise<void> {
  committed = to;
  for (let number = from; number <= to; number++) {
    const increment = { meter: 'pulls', day: 20_000, quantity: 1n, dimensions: {} };
    await own.store.journal.commit({ number, at: systemClock.now(), increments: [increment] });
  }
}

function start(target: Target, lastBatch: number, options: Partial<DeliveryOptions> = {}): Delivery {
  const { outbox } = own.store.journal;
  if (!outbox) throw new Error('the store was opened with an outbox');
  const delivery = new Delivery({ outbox, remote: target, lastBatch, clock: systemClock, log: silent, ...options });
  deliveries.push(delivery);
  delivery.start();
  return delivery;
}

async function trimTo(delivered: number): Promise<void> {
  await own.store.journal.outbox?.trim({ delivered, confirmed: delivered, before: Infinity, bytesMax: 0 });
}

/** A log that keeps the level and the text of each line. */
function keptLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at = (level: string) => (_fields: object, text: string) => void lines.push(`${level}: ${text}`);
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

const failing = 'error: batches cannot be delivered to the store; the outbox keeps them, and the ledger retries';
const again = 'info: delivery to the store works again; nothing was lost';

/** Deletes batches from the file, unknown to the outbox. */
function forget(...numbers: readonly number[]): void {
  const database = new DatabaseSync(join(own.directory, 'ledger.sqlite'));
  try {
    database.exec(`delete from outbox where number in (${numbers.join(', ')})`);
  } finally {
    database.close();
  }
}

const settled = (delivery: Delivery) => eventually('all is delivered', () => delivery.status().waiting === 0);
const failed = (delivery: Delivery) => eventually('it has failed', () => delivery.status().failure !== undefined);

test('batches are delivered in order, and soon', async () => {
  const target = new Target();
  await commit(1, 3);
  const delivery = start(target, 3);
  await settled(delivery);
  await commit(4, 4);
  delivery.notify(4);
  await settled(delivery);
  expect(target.log).toEqual([1, 2, 3, 4]);
  expect(delivery.status()).toMatchObject({ waiting: 0, ageMs: 0 });
});

test('it starts at the position of the store, and continues after an outage', async () => {
  const target = new Target();
  target.kept = 2;
  target.broken = new Error('no connection');
  await commit(1, 4);
  const delivery = start(target, 4);
  await failed(delivery);
  expect(delivery.status()).toMatchObject({ waiting: 4, failure: 'no connection' });
  target.broken = undefined;
  await settled(delivery);
  expect(target.log).toEqual([3, 4]);
  await eventually('no failure is left', () => delivery.status().failure === undefined);
});

test('batches that the store has lost are delivered again, twice if necessary', async () => {
  const target = new Target();
  await commit(1, 6);
  const delivery = start(target, 6);
  await settled(delivery);
  target.log.length = 0;
  target.lost = { to: 4, needs: 5 };
  await commit(7, 7);
  delivery.notify(7);
  await settled(delivery);
  expect(target.log).toEqual([5, 6, 7]);
  target.log.length = 0;
  target.lost = { to: 1, needs: 2 };
  await commit(8, 8);
  delivery.notify(8);
  await settled(delivery);
  expect(target.log).toEqual([2, 3, 4, 5, 6, 7, 8]);
});

test('a lost batch that the outbox no longer has stops it, and the error names the remedy', async () => {
  const target = new Target();
  await commit(1, 6);
  const delivery = start(target, 6);
  await settled(delivery);
  await trimTo(4);
  target.lost = { to: 1, needs: 2 };
  await commit(7, 7);
  delivery.notify(7);
  await failed(delivery);
  expect(delivery.status()).toMatchObject({ failure: 'batch 2 is gone', gap: 'batch 2 is gone' });
  expect(own.store.journal.outbox?.gap).toEqual({ reason: 'batch 2 is gone', isLasting: false });
});

test('batches that the outbox lacks are no gap unless the store needs them', async () => {
  const target = new Target();
  await commit(1, 6);
  const delivery = start(target, 6);
  await settled(delivery);
  await trimTo(4);
  target.log.length = 0;
  // The store has the batches up to 1, and next needs batch 6, which the outbox still has.
  target.lost = { to: 1, needs: 6 };
  await commit(7, 7);
  delivery.notify(7);
  await settled(delivery);
  expect(target.log).toEqual([5, 6, 7]);
});

test('a loss is known after a restart even if the store is unreachable, and ends when the store has the data again', async () => {
  const target = new Target();
  await commit(1, 3);
  await trimTo(3);
  target.kept = 1;
  const before = start(target, 3);
  await failed(before);
  expect(before.status().gap).toBe('batches after 1 are gone');
  const asked = target.asked;
  const began = systemClock.monotonic();
  await new Promise((resolve) => setTimeout(resolve, 150));
  // The first pause is a tenth of a second; a timer may fire a moment early.
  expect(target.asked - asked).toBeLessThanOrEqual((systemClock.monotonic() - began) / 95 + 1);
  await before.close(0);

  target.broken = new Error('no connection');
  await own.reopen();
  const { log, lines } = keptLog();
  const after = start(target, 3, { log });
  await eventually('it has tried', () => target.asked > asked + 1);
  expect(after.status().gap).toBe('batches after 1 are gone');
  expect(lines[0]).toMatch(/^error: the store misses data .*, so totals are incomplete/);

  target.broken = undefined;
  target.kept = 3;
  await eventually('the loss has ended', () => lines.includes(again));
  expect(after.status()).toMatchObject({ waiting: 0 });
  expect(after.status().gap).toBeUndefined();
  expect(after.status().failure).toBeUndefined();
});

test('totals are incomplete while a rebuild is unfinished, even after a restart', async () => {
  const target = new Target();
  await commit(1, 3);
  target.broken = new TonnageError('store_rebuilding', 'a rebuild has not ended');
  const before = start(target, 3);
  await failed(before);
  expect(before.status().gap).toBe('a rebuild has not ended');
  await before.close(0);

  target.broken = undefined;
  await own.reopen();
  const after = start(target, 3);
  expect(after.status().gap).toBe('a rebuild has not ended');
  await settled(after);
  await eventually('the loss has ended', () => after.status().gap === undefined);
});

test('batches of another history are a lasting gap, whatever the store reports later', async () => {
  const target = new Target();
  await commit(1, 3);
  target.broken = new ForkedHistory('another batch 3');
  const before = start(target, 3);
  await failed(before);
  await before.close(0);

  target.broken = undefined;
  await own.reopen();
  await commit(4, 4);
  const after = start(target, 4);
  after.notify(4);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(after.status()).toMatchObject({ gap: 'another batch 3', failure: 'another batch 3' });
  expect(own.store.journal.outbox?.gap?.isLasting).toBe(true);
  expect(target.log).toEqual([]);
});

test('after an outage, the log reports recovery once the store has its lost batches again, or if it lost none', async () => {
  const target = new Target();
  await commit(1, 6);
  const { log, lines } = keptLog();
  const delivery = start(target, 6, { log });
  await settled(delivery);
  target.broken = new Error('no connection');
  await commit(7, 7);
  delivery.notify(7);
  await failed(delivery);
  target.lost = { to: 2, needs: 3 };
  target.log.length = 0;
  target.broken = undefined;
  await eventually('all is well', () => lines.includes(again));
  expect(target.log).toEqual([3, 4, 5, 6, 7]);
  const lost = 'warn: the store has lost batches; the ledger is delivering them again';
  expect(lines).toEqual([failing, lost, again]);
});

test.each([
  [[3], 0, [1, 2], 'batch 3'],
  [[3, 4], 2, [], 'batches 3 to 4'],
  [[5, 6], 1, [2, 3, 4], 'batches 5 to 6'],
])('if the outbox lacks batches %j, it stops before them and names them', async (gone, kept, delivered, which) => {
  const target = new Target();
  await commit(1, 6);
  forget(...gone);
  target.kept = kept;
  const delivery = start(target, 6);
  await failed(delivery);
  expect(delivery.status().failure).toContain(`the store misses ${which} of this ledger, and the outbox no longer has`);
  expect(target.log).toEqual(delivered);
});

test('a total loss of an idle store shows with the next batch', async () => {
  const target = new Target();
  await commit(1, 2);
  const delivery = start(target, 2);
  await settled(delivery);
  target.kept = 0;
  target.lost = { to: 0, needs: 1 };
  await commit(3, 3);
  delivery.notify(3);
  await eventually('all is delivered again', () => target.kept === 3);
  expect(target.log).toEqual([1, 2, 1, 2, 3]);
});

test('amounts that the store could not add are counted each time, and logged', async () => {
  const target = new Target();
  target.rejected = ['pulls/d/2026-11-30', 'pulls/d/2026-11-30', 'pulls/a/amd64'];
  const told: unknown[] = [];
  const counted: string[] = [];
  const delivery = start(target, 0, {
    log: { ...silent, error: (fields) => void told.push(fields) },
    onRejected: (fields) => void counted.push(...fields),
  });
  for (const number of [1, 2]) {
    await commit(number, number);
    delivery.notify(number);
    await settled(delivery);
  }
  expect(counted).toEqual([...target.rejected, ...target.rejected]);
  expect(told).toEqual([{ changes: 3, fields: ['pulls/d/2026-11-30', 'pulls/a/amd64'] }]);
});
