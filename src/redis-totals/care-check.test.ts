import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { redisCli } from '../../test/support/redis.ts';
import { pulls, remoteAt, TestLedger, today } from '../care/testing/ledger.ts';

const redis = suiteRedis();
let ledger: TestLedger;

beforeEach(async () => {
  await redis.server.cli('flushall');
  ledger = new TestLedger(redis.newPath());
});
afterEach(async () => {
  await redisCli(
    redis.server.port,
    ['config', 'set', 'requirepass', '', 'maxmemory', '0', 'maxmemory-policy', 'noeviction'],
    {
      password: 'secret',
    },
  );
});

const noFindings = { findings: [], notes: [] };
const first = [pulls(today, 3n, { org: 'a.example', repository: 'x' }), pulls(today - 40, 4n, { org: 'b.example' })];
const second = [pulls(today, 5n, { org: 'a.example', repository: 'x' })];

describe('check finds what stops delivery until an operator repairs it', () => {
  /** Deletes batches from the outbox, as a server does after their delivery. */
  function forget(where: string): void {
    const database = new DatabaseSync(ledger.file);
    database.exec(`delete from outbox where ${where}`);
    database.close();
  }

  const check = () => ledger.care(redis.server.url).check();
  const found = (text: string) => ({ findings: [expect.stringMatching(text)], notes: [] });
  const rebuild = 'stop the server and run tonnage ledger rebuild$';

  test('Redis has lost batches that the outbox no longer has, until a rebuild', async () => {
    await ledger.commit(redis.server.url, first);
    const batch = await redis.server.cli('hget', '{metrics/v1}:seq', ledger.id());
    await ledger.commit(redis.server.url, second, second);
    await redis.server.cli('flushall');
    forget('number = 1');
    const gap = '^Redis: nothing is delivered \\(ledger_gap\\): ';
    const inNothing = 'missing in Redis, which has nothing of this ledger .*, and the outbox no longer has';
    expect(await check()).toEqual(found(`${gap}batch 1 of this ledger is ${inNothing} it; .*: ${rebuild}`));
    await redis.server.cli('hset', '{metrics/v1}:seq', ledger.id(), batch);
    forget('true');
    expect(await check()).toEqual(
      found(`${gap}batches 2 to 3 of this ledger are missing in Redis, and .*: ${rebuild}`),
    );
    await redis.server.cli('del', '{metrics/v1}:seq');
    expect(await check()).toEqual(found(`${gap}batches 1 to 3 of this ledger are ${inNothing} them; .*: ${rebuild}`));
    await ledger.care(redis.server.url).rebuild();
    expect(await check()).toEqual(noFindings);
  });

  test('Redis has nothing of a ledger that kept its totals in its file', async () => {
    await ledger.commit(undefined, first, second);
    const kept = '^Redis: gets nothing of this ledger, which has kept its totals itself until now';
    expect(await check()).toEqual(found(`${kept}.*: take them there with tonnage ledger migrate --to`));
    await ledger.care().migrate(remoteAt(redis.server.url));
    expect(await check()).toEqual(noFindings);
    await ledger.care(redis.server.url).migrate(undefined);
    expect(await check()).toEqual(found(kept));
  });

  test('not that Redis has lost batches which the outbox still has: they are delivered again', async () => {
    await ledger.commit(redis.server.url, first, second);
    await redis.server.cli('flushall');
    expect(await check()).toEqual({
      findings: [],
      notes: ['Redis was not compared: 2 batches are not delivered yet, which a running server does by itself'],
    });
    await ledger.commit(redis.server.url);
    expect(await check()).toEqual(noFindings);
  });

  const loseDetails = () =>
    redis.server.cli('del', '{tonnage/pulls/2026-10-12}:seq', `{tonnage/pulls/2026-10-12}:cells:${ledger.id()}`);
  const lost = `^Redis: nothing is delivered \\(ledger_gap\\): batch 1 of this ledger is missing in the details of pulls of 2026-10-12 in Redis, and .*: ${rebuild}`;

  test('Redis has lost the details of a day, as after a node of a Cluster was emptied, and the outbox no longer has them', async () => {
    await ledger.commit(redis.server.url, first, second);
    await loseDetails();
    forget('true');
    expect(await check()).toEqual(found(lost));
    await ledger.care(redis.server.url).rebuild();
    expect(await check()).toEqual(noFindings);
  });

  test('Redis has lost the details of a day while a later batch of the same day waits', async () => {
    await ledger.commit(redis.server.url, first, second);
    await loseDetails();
    forget('true');
    const store = await ledger.open(redis.server.url);
    await store.journal.commit({ number: 3, at: 0, increments: first });
    await store.close();
    expect(await check()).toEqual(found(lost));
  });

  test('not lost details that the outbox still has: the next server delivers them again', async () => {
    await ledger.commit(redis.server.url, first, second);
    await loseDetails();
    expect((await check()).findings).toEqual([]);
    const answers = await ledger.answers(redis.server.url, ['repository']);
    expect(answers).toContainEqual(
      expect.objectContaining({ value: 8n, dimensions: expect.objectContaining({ repository: 'x' }) }),
    );
    expect(await check()).toEqual(noFindings);
  });

  test.each([
    [
      ['config', 'set', 'maxmemory-policy', 'allkeys-lru'],
      /store_evicts.*maxmemory-policy allkeys-lru, expected noevic/,
    ],
    [['config', 'set', 'maxmemory', '1'], /redis_refused.*: OOM /],
    [
      ['set', 'metrics/v1', 'text'],
      /store_invalid.*: Key metrics\/v1 in Redis must be a hash, but is a string; mend that at the Redis/,
    ],
    [['set', '{metrics/v1}:others', 'text'], /store_invalid.*: Key \{metrics\/v1\}:others in Redis must be a hash/],
    [['set', '{metrics/v1}:seq', 'text'], /redis_refused.*WRONGTYPE/],
    [['hset', '{metrics/v1}:seq', 'ID', 'rebuilding'], /store_rebuilding.* run `tonnage ledger rebuild` again$/],
    [['config', 'set', 'requirepass', 'secret'], /redis_refused.*NOAUTH/],
  ])('%j', async (command, finding) => {
    await ledger.commit(redis.server.url, first);
    const keys = ['metrics/v1', '{metrics/v1}:others', '{metrics/v1}:seq'];
    if (command[0] === 'set') await redis.server.cli('del', ...keys);
    await redis.server.cli(...command.map((word) => (word === 'ID' ? ledger.id() : word)));
    const result = await check();
    expect(result).toEqual({ findings: [expect.stringMatching(finding)], notes: [] });
    expect(result.findings[0]).toMatch(/^Redis: nothing is delivered \(/);
  });

  test('the configuration has no Redis, but the ledger delivers to one', async () => {
    await ledger.commit(redis.server.url, first);
    expect(await ledger.care().check()).toEqual({
      findings: [],
      notes: [
        expect.stringMatching(/^this ledger delivers to a Redis, which this configuration does not name, .* --config$/),
      ],
    });
    await ledger.care().rebuild();
    expect(await ledger.care().check()).toEqual(noFindings);
  });
});
