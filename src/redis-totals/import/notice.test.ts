import { beforeEach, expect, test } from 'vitest';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { systemClock as clock } from '../../base/index.ts';
import type { Increment } from '../../usage/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { fill, waveCommands } from '../read/testing/fill.ts';
import { silent } from '../testing/redis-store.ts';
import { importWave } from './import.ts';
import { noticeWave } from './notice.ts';

const redis = suiteRedis();
let link: RedisLink;
beforeEach(async () => void ({ link } = await redis.freshLink()));

const event: Increment = { meter: 'pulls', day: 20_000, quantity: 1n, dimensions: { org: 'a.org' } };

async function notice(): Promise<{ readonly found: boolean; readonly warnings: readonly unknown[] }> {
  const warnings: unknown[] = [];
  const found = await noticeWave({ link, log: { ...silent, warn: (fields) => void warnings.push(fields) } });
  return { found, warnings };
}

test('no warning for an empty Redis or for a Redis in which only ledgers have counted', async () => {
  expect(await notice()).toEqual({ found: false, warnings: [] });
  await fill(link, [{ ...event, by: 'one' }]);
  expect(await notice()).toEqual({ found: false, warnings: [] });
});

test("warns of Wave's counts until an import, even after ledgers have counted", async () => {
  await link.pipeline(waveCommands(event));
  expect(await notice()).toEqual({ found: true, warnings: [{ fields: 3 }] });
  await fill(link, [{ ...event, by: 'one', dimensions: { org: 'b.org' } }]);
  expect((await notice()).found).toBe(true);
  await importWave({ link, clock });
  expect((await notice()).found).toBe(false);
});
