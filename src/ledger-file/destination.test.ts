import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { pulls, remoteAt, TestLedger, today } from '../care/testing/ledger.ts';
import { withTokenTable } from './tokens.ts';

const redis = suiteRedis();
let ledger: TestLedger;

beforeEach(async () => {
  await redis.server.cli('flushall');
  ledger = new TestLedger(redis.newPath());
});

const first = [pulls(today, 3n, { org: 'a.example' }), pulls(today - 40, 4n, { org: 'b.example' })];
const second = [pulls(today, 5n, { org: 'a.example' })];
const counted = [
  { meter: 'pulls', from: today - 40, dimensions: { org: 'b.example', arch: null }, value: 4n },
  { meter: 'pulls', from: today, dimensions: { org: 'a.example', arch: null }, value: 8n },
];

function rows(sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(ledger.file);
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

describe('a ledger that delivers to a Redis, opened to keep its totals itself', () => {
  const refused = {
    code: 'config_invalid',
    message: expect.stringMatching(
      /^store: the ledger .*ledger\.sqlite delivers its totals to a Redis, .*driver: redis.*ledger rebuild.*ledger migrate --to/,
    ),
  };

  test('is refused, and left as it is', async () => {
    await ledger.commit(redis.server.url, first);
    const before = rows('select * from ledger');
    await expect(ledger.open()).rejects.toMatchObject(refused);
    expect(rows('select * from ledger')).toEqual(before);
    await ledger.commit(redis.server.url, second);
    expect(await ledger.care(redis.server.url).check()).toEqual({ findings: [], notes: [] });
    expect(await ledger.answers(redis.server.url)).toEqual(counted);
  });

  test('is refused while nothing was ever delivered, and when all that was delivered is forgotten', async () => {
    const store = await ledger.open('redis://127.0.0.1:1');
    await store.journal.commit({ number: 1, at: 0, increments: first });
    await store.close();
    await expect(ledger.open()).rejects.toMatchObject(refused);
    await ledger.with(redis.server.url, async ({ journal }) => {
      await journal.commit({ number: 2, at: 0, increments: second });
    });
    await ledger.with(redis.server.url, async ({ journal: { outbox } }) => {
      await outbox?.trim({ delivered: 2, confirmed: 2, before: Infinity, bytesMax: 0 });
      await outbox?.untouch((await outbox.touchedBefore(today + 1, 10)) ?? []);
    });
    expect(rows('select * from outbox, outbox_touch')).toEqual([]);
    await expect(ledger.open()).rejects.toMatchObject(refused);
    await ledger.commit(redis.server.url);
  });

  test.each([
    ['rebuild', () => ledger.care().rebuild()],
    ['migrate', () => ledger.care(redis.server.url).migrate(undefined)],
  ])('opens after %s, with all that it has counted', async (_name, care) => {
    await ledger.commit(redis.server.url, first);
    // What Redis was not told of yet is no less counted.
    const store = await ledger.open(redis.server.url);
    await store.journal.commit({ number: 2, at: 0, increments: second });
    await store.close();
    await care();
    expect(await ledger.answers(undefined)).toEqual(counted);
    await ledger.commit(undefined, second);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
  });
});

describe('a ledger that has kept its totals itself, opened to deliver them to a Redis', () => {
  const refused = {
    code: 'config_invalid',
    message: expect.stringMatching(
      /^store: the ledger .*ledger\.sqlite has kept its totals itself .*nothing is lost.*ledger migrate --to.*ledger rebuild/,
    ),
  };

  test.each([
    ['migrate', () => ledger.care().migrate(remoteAt(redis.server.url))],
    ['rebuild', () => ledger.care(redis.server.url).rebuild()],
  ])('is refused until %s has taken them there', async (_name, care) => {
    await ledger.commit(undefined, first);
    await expect(ledger.open(redis.server.url)).rejects.toMatchObject(refused);
    await care();
    await ledger.commit(redis.server.url, second);
    expect(await ledger.answers(redis.server.url)).toEqual(counted);
    expect(await ledger.care(redis.server.url).check()).toEqual({ findings: [], notes: [] });
  });

  test.each([
    ['rebuilt', () => ledger.care().rebuild()],
    ['migrated', () => ledger.care(redis.server.url).migrate(undefined)],
  ])('is refused also when it delivered before it was %s, counted or not since', async (_name, care) => {
    await ledger.commit(redis.server.url, first);
    await care();
    await expect(ledger.open(redis.server.url)).rejects.toMatchObject(refused);
    await ledger.commit(undefined, second);
    await expect(ledger.open(redis.server.url)).rejects.toMatchObject(refused);
  });

  test('opens while it has counted nothing: new, made for tokens, or only ever started', async () => {
    await (await ledger.open(redis.server.url)).close();
    await (await ledger.open()).close();
    await ledger.commit(redis.server.url, first, second);
    expect(await ledger.answers(redis.server.url)).toEqual(counted);
    ledger = new TestLedger(redis.newPath());
    await withTokenTable(ledger.file, (tokens) => tokens.all());
    expect(existsSync(ledger.file)).toBe(true);
    await (await ledger.open(redis.server.url)).close();
  });

  test('opens from a backup of one that delivered, and with a Redis that was emptied', async () => {
    await ledger.commit(redis.server.url, first);
    const backup = join(ledger.data, 'backup.sqlite');
    await ledger.care(redis.server.url).backup(backup);
    await ledger.commit(redis.server.url, second);
    await ledger.care(redis.server.url).restore(backup);
    await (await ledger.open(redis.server.url)).close();
    await redis.server.cli('flushall');
    await ledger.commit(redis.server.url, second);
    expect(await ledger.answers(redis.server.url)).toEqual(counted);
  });
});
