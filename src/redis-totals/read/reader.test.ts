import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, type Log } from '../../base/index.ts';
import { accountKey, monthOf, parseDay, type UsageQuery } from '../../usage/index.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { eventually } from '../../../test/support/redis.ts';
import { ownMonthKey } from '../layout.ts';
import type { RedisLink, RedisLinkOptions } from '../../redis-link/index.ts';
import { createRedisTotals, startRedisReader } from './index.ts';
import { fill } from './testing/fill.ts';

const today = parseDay('2026-11-21') ?? Number.NaN;
const byOrg: UsageQuery = { meter: 'pulls', window: 'month', by: ['org'], where: {}, limit: 100, offset: 0 };
const byUpstream: UsageQuery = { ...byOrg, by: ['upstream'] };
const password = 'correct-horse';

const redis = suiteRedis({ users: [`tonnage on >${password} ~* +@all`] });
let link: RedisLink;
let lines: string[];
const write = (fields: object, message: string) => void lines.push(JSON.stringify([message, fields]));
const log: Log = { debug: write, info: write, warn: write, error: write };
const readers: ReturnType<typeof startRedisReader>[] = [];

beforeEach(async () => {
  lines = [];
  ({ link } = await redis.freshLink());
  const dimensions = { org: 'a.org', arch: 'amd64', upstream: 'docker.io' };
  await fill(link, [
    { by: 'one', meter: 'pulls', day: today - 1, quantity: 2n ** 60n, dimensions },
    { by: 'one', meter: 'pulls', day: today - 40, quantity: 3n, dimensions },
  ]);
});
afterEach(() => Promise.all(readers.splice(0).map((reader) => reader.close())));

function start(overrides: { readonly url?: string; readonly password?: string; readonly detailsFrom?: number } = {}) {
  const { url = redis.server.url, detailsFrom = -Infinity, ...credentials } = overrides;
  const options: RedisLinkOptions = { mode: 'standalone', url, username: 'tonnage', password, clock: systemClock, log };
  const reader = startRedisReader({
    redis: { ...options, ...credentials },
    besideWave: false,
    detailsFrom: () => detailsFrom,
    log,
  });
  readers.push(reader);
  return reader;
}

test('the thread gives the same answers as the main thread, also to concurrent queries', async () => {
  const here = createRedisTotals({ link, clock: systemClock, detailsFrom: () => today - 30 });
  const there = start({ detailsFrom: today - 30 });
  const queries: readonly UsageQuery[] = [
    byOrg,
    byUpstream,
    { ...byOrg, allTime: true },
    { ...byOrg, meter: 'nothing' },
  ];
  const answers = await Promise.all(queries.map((query) => here.query(query, today)));
  expect(answers[1]?.folded).toEqual(['upstream']);
  expect(await Promise.all(queries.map((query) => there.query(query, today)))).toEqual(answers);
});

test('the thread rejects an invalid count as the main thread does', async () => {
  const month = ownMonthKey('one', 'pulls', monthOf(today));
  await redis.server.cli('hset', month, accountKey({ org: 'b.org' }), 'many');
  await expect(start().query(byOrg, today)).rejects.toMatchObject({ code: 'store_invalid' });
});

test('rejects while Redis is down, and answers after it has restarted', async () => {
  await redis.server.stop();
  const reader = start();
  await expect(reader.query(byOrg, today)).rejects.toMatchObject({ code: 'redis_unavailable' });
  await redis.server.restart();
  await eventually('it answers', () =>
    reader.query(byOrg, today).then(
      () => true,
      () => false,
    ),
  );
  expect(lines.some((line) => line.includes('no connection to Redis'))).toBe(true);
});

test('rejects a wrong password, without the password in the error or in the log', async () => {
  const secret = 'wrong-battery-staple';
  const failure: unknown = await start({ password: secret })
    .query(byOrg, today)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'redis_refused', message: expect.stringContaining('WRONGPASS') });
  expect(lines.join('\n')).toContain('WRONGPASS');
  expect(lines.join('\n') + String(failure)).not.toContain(secret);
});

test('closing settles every query in flight, and later queries are rejected', async () => {
  const reader = start();
  const asked = Promise.allSettled(Array.from({ length: 20 }, () => reader.query(byOrg, today)));
  await reader.close();
  const outcomes = await asked;
  const failures = outcomes.filter((each) => each.status === 'rejected');
  for (const each of failures) expect(each.reason).toMatchObject({ code: 'redis_unavailable' });
  await expect(reader.query(byOrg, today)).rejects.toMatchObject({ code: 'redis_unavailable' });
});
