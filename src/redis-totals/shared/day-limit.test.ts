import { afterEach, beforeEach, expect, test } from 'vitest';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { systemClock } from '../../base/index.ts';
import { outcome } from '../../usage/index.ts';
import { Instance, type Sent } from './testing/instance.ts';

const redis = suiteRedis();
const { accepted, dayLimit } = outcome;
const day = Math.floor(systemClock.now() / 86_400_000);
const dayMax = 100;
let one: Instance;
let two: Instance;

beforeEach(async () => {
  await redis.server.cli('flushall');
  const instance = () => new Instance(redis.server.url, redis.newPath());
  [one, two] = [instance(), instance()];
  await one.open();
  await two.open();
});

afterEach(async () => {
  await one.close();
  await two.close();
});

const event = (id: number, quantity: number): Sent => ({
  id,
  counts: { meter: 'pulls', day, dimensions: { org: 'a.org' }, quantity },
});

test('events with pending claims count towards the limit of their day, also after a restart', async () => {
  expect(await one.send([event(1, 60), event(2, 41), event(3, 40)], dayMax)).toEqual([accepted, dayLimit, accepted]);
  await one.open();
  expect(await one.send([event(4, 1)], dayMax)).toEqual([dayLimit]);
  await one.finish();
  expect(await one.send([event(5, 1)], dayMax)).toEqual([dayLimit]);
  await one.open();
  expect(await one.send([event(6, 1)], dayMax)).toEqual([dayLimit]);
});

test('an event that another instance had claimed first no longer counts towards the limit', async () => {
  await one.send([event(1, 100)], dayMax);
  await one.finish();
  expect(await two.send([event(1, 100), event(2, 1)], dayMax)).toEqual([accepted, dayLimit]);
  await two.finish();
  expect(await two.send([event(3, 100), event(4, 1)], dayMax)).toEqual([accepted, dayLimit]);
});
