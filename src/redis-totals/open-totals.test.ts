import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { freePort } from '../../test/support/program.ts';
import { withLedgerReader } from '../ledger-file/index.ts';
import type { UsageQuery } from '../usage/index.ts';
import { delivered } from '../store/testing/delivered.ts';
import type { ReadTotals } from '../store/index.ts';
import { openTestRedisStore, testRemote, untilDelivering } from './testing/redis-store.ts';

const query: UsageQuery = { meter: 'pulls', window: 'total', by: ['org'], where: {}, limit: 10, offset: 0 };
const today = 20_000;

const redis = suiteRedis();

function open(file: string, url = redis.server.url): Promise<ReadTotals> {
  const remote = testRemote(url, { timeZone: 'Asia/Tokyo' });
  if (!existsSync(file)) return remote.openTotals(undefined);
  return withLedgerReader(file, (ledger) => remote.openTotals(ledger));
}

describe('totals in Redis', () => {
  test('are read while a store delivers to them, in the time zone of its ledger', async () => {
    const file = join(redis.directory, 'ledger.sqlite');
    const store = await openTestRedisStore(redis.server.url, file, { timeZone: 'Europe/Berlin' });
    await untilDelivering(store);
    const increments = [{ meter: 'pulls', day: today, quantity: 3n, dimensions: { org: 'a.org' } }];
    await store.journal.commit({ number: 1, at: 0, increments });
    const totals = await open(file);
    expect(totals.timeZone).toBe('Europe/Berlin');
    // The batch is only in the file so far.
    expect((await totals.query(query, today)).rows).toEqual([]);
    await delivered(store);
    expect((await totals.query(query, today)).rows).toEqual([{ dimensions: { org: 'a.org' }, value: 3n }]);
    await totals.close();
    await store.close();
  });

  test('are read without a ledger file in the configured time zone', async () => {
    const totals = await open(join(redis.directory, 'none.sqlite'));
    expect(totals.timeZone).toBe('Asia/Tokyo');
    expect((await totals.query(query, today)).total).toBe(3n);
    await totals.close();
  });

  test('are incomplete while a rebuild is unfinished, even without a loss on record', async () => {
    const file = join(redis.directory, 'ledger.sqlite');
    const ledgerId = (await redis.server.cli('hkeys', '{metrics/v1}:seq')).trim();
    const last = (await redis.server.cli('hget', '{metrics/v1}:seq', ledgerId)).trim();
    await redis.server.cli('hset', '{metrics/v1}:seq', ledgerId, 'rebuilding');
    const during = await open(file);
    expect(during.gap).toMatch(/^a rebuild of this ledger in Redis has not finished; /);
    await during.close();
    await redis.server.cli('hset', '{metrics/v1}:seq', ledgerId, last);
    const after = await open(file);
    expect(after.gap).toBeUndefined();
    await after.close();
  });

  test('cannot be opened while Redis is unreachable', async () => {
    const opening = open(join(redis.directory, 'none.sqlite'), `redis://127.0.0.1:${await freePort()}`);
    await expect(opening).rejects.toMatchObject({ code: 'redis_unavailable' });
  });
});
