import { expect, test } from 'vitest';

import { SingleFlight } from './single-flight.ts';

test('work under one key is done once at a time, and again when it is over', async () => {
  const flights = new SingleFlight<number>();
  let runs = 0;
  const work = (): Promise<number> => Promise.resolve(++runs);
  expect(await Promise.all([flights.run('a', work), flights.run('a', work), flights.run('b', work)])).toEqual([
    1, 1, 2,
  ]);
  expect(await flights.run('a', work)).toBe(3);
});

test('a failure goes to all who joined, and is not remembered', async () => {
  const flights = new SingleFlight<number>();
  const fail = (): Promise<number> => Promise.reject(new Error('no'));
  const results = await Promise.allSettled([flights.run('a', fail), flights.run('a', fail)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await flights.run('a', () => Promise.resolve(1))).toBe(1);
});
