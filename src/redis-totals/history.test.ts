import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { TonnageError } from '../base/index.ts';
import { pulls, TestLedger, today } from '../care/testing/ledger.ts';
import { delivered } from '../store/testing/delivered.ts';
import { untilDelivering } from './testing/redis-store.ts';

const redis = suiteRedis();
let ledger: TestLedger;

beforeEach(async () => {
  await redis.server.cli('flushall');
  ledger = new TestLedger(redis.newPath());
});

const one = [pulls(today, 1n, { org: 'a.example', repository: 'x' })];
const other = [pulls(today - 1, 1n, { org: 'b.example', repository: 'y' })];

/** The result of the next server, which asks for its position and delivers pending batches. */
async function deliver(of = ledger): Promise<unknown> {
  const store = await of.open(redis.server.url);
  try {
    await eventually('Redis answers', async () => {
      const code = await store.remote?.position().then(() => 'ok', codeOf);
      return code !== 'redis_unavailable';
    });
    await delivered(store);
    return 'delivered';
  } catch (error) {
    return error;
  } finally {
    await store.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof TonnageError ? error.code : String(error);
}

const fork = expect.objectContaining({ code: 'ledger_gap', message: expect.stringContaining('rebuild') });

async function sequence(key = '{metrics/v1}:seq'): Promise<string> {
  return (await redis.server.cli('hvals', key)).trim();
}

/** Commits without delivery: the batches wait in the outbox. */
async function commitUndelivered(of: TestLedger, ...increments: readonly (typeof one)[]): Promise<void> {
  const store = await of.open(redis.server.url);
  let number = store.journal.lastBatch;
  for (const each of increments) await store.journal.commit({ number: ++number, at: 0, increments: each });
  await store.close();
}

describe('a ledger that was set back', () => {
  test.each([
    ['behind Redis', 0],
    ['at the same number', 2],
    ['beyond Redis', 3],
  ])('and has counted since then, %s, delivers nothing until a rebuild', async (_, more) => {
    await ledger.commit(redis.server.url, one);
    const copy = join(ledger.data, 'copy');
    copyFileSync(ledger.file, copy);
    await ledger.commit(redis.server.url, one, one);
    copyFileSync(copy, ledger.file);
    await commitUndelivered(ledger, ...Array.from({ length: more }, () => one));
    const before = await sequence();
    expect(await deliver()).toEqual(fork);
    expect(await sequence()).toBe(before);
    await ledger.care(redis.server.url).rebuild();
    expect(await deliver()).toBe('delivered');
    expect((await ledger.answers(redis.server.url)).at(-1)).toMatchObject({ value: BigInt(1 + more) });
  });

  test('is detected by the details of a day, even if the sums agree', async () => {
    await ledger.commit(redis.server.url, one);
    await ledger.commit(redis.server.url, one);
    const key = '{tonnage/pulls/2026-11-21}:seq';
    const [field = ''] = (await redis.server.cli('hkeys', key)).split('\n');
    await redis.server.cli('hset', key, field, '2:another-history');
    expect(await deliver()).toEqual(fork);
    await commitUndelivered(ledger, one);
    expect(await deliver()).toEqual(fork);
  });

  test('is distinguished from its copy: if both count, one delivers and the other one stops', async () => {
    await ledger.commit(redis.server.url, one);
    const copy = new TestLedger(redis.newPath());
    copyFileSync(ledger.file, copy.file);
    await copy.commit(redis.server.url, other);
    await commitUndelivered(ledger, one);
    expect(await deliver()).toEqual(fork);
    expect(await deliver(copy)).toBe('delivered');
  });
});

describe('a ledger and a Redis of a release without tokens', () => {
  /** Changes both to the schema of that release. */
  async function withoutTokens(): Promise<void> {
    const database = new DatabaseSync(ledger.file);
    database.exec(`alter table ledger drop column last_token; alter table ledger drop column gap;
      alter table ledger drop column gap_lasts; alter table outbox drop column token;
      alter table outbox drop column previous_token; alter table outbox_touch drop column token;
      alter table ledger drop column hash_version; alter table token drop column debusine_scope;
      update outbox set touched = (
        select json_group_array(json_array(value ->> 0, value ->> 1, value ->> 2)) from json_each(touched));
      pragma user_version = 10; pragma wal_checkpoint(truncate)`);
    database.close();
    for (const key of (await redis.server.cli('keys', '*:seq')).split('\n')) {
      const [field = '', value = ''] = (await redis.server.cli('hgetall', key)).split('\n');
      await redis.server.cli('hset', key, field, value.replace(/:.*/, ''));
    }
  }

  test('work together, with tokens from the next batch on', async () => {
    await ledger.commit(redis.server.url, one, other);
    await commitUndelivered(ledger, one);
    await withoutTokens();
    expect(await sequence()).toBe('2');
    expect(await deliver()).toBe('delivered');
    expect(await sequence()).toBe('3');
    await ledger.commit(redis.server.url, one);
    expect(await sequence()).toMatch(/^4:[\w-]{16}$/);
    expect(await ledger.care(redis.server.url).check()).toEqual({ findings: [], notes: [] });
    expect((await ledger.answers(redis.server.url)).at(-1)).toMatchObject({ value: 3n });
  });

  test('are rejected if Redis is ahead, or has a number without the token that the ledger has for it', async () => {
    await ledger.commit(redis.server.url, one);
    await withoutTokens();
    const field = (await redis.server.cli('hkeys', '{metrics/v1}:seq')).trim();
    await redis.server.cli('hset', '{metrics/v1}:seq', field, '2');
    expect(await deliver()).toEqual(fork);
    await commitUndelivered(ledger, one);
    expect(await deliver()).toEqual(fork);
  });
});

test('the loss stays on record while Redis is unreachable', async () => {
  await ledger.commit(redis.server.url, one);
  const store = await ledger.open('redis://127.0.0.1:1');
  await store.journal.outbox?.noteGap({ reason: 'set back', isLasting: true });
  await store.close();
  const again = await ledger.open(redis.server.url);
  await untilDelivering(again);
  expect(again.journal.outbox?.gap).toEqual({ reason: 'set back', isLasting: true });
  await again.close();
  expect((await ledger.care().check()).findings).toEqual(['totals are incomplete (ledger_gap): set back']);
  await ledger.care(redis.server.url).rebuild();
  expect((await ledger.care(redis.server.url).check()).findings).toEqual([]);
});
