import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('no more run at once than may, in the order in which they came, and all of them run', async () => {
  const delays = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 });
  const property = fc.asyncProperty(
    delays,
    delays,
    fc.integer({ min: 1, max: 3 }),
    async (first, second, runningMax) => {
      const turns = new Turns({ runningMax, waitingMax: 24 });
      const begun: number[] = [];
      let running = 0;
      let most = 0;
      const take = async (delay: number, index: number): Promise<number | 'busy'> =>
        turns.take(async () => {
          begun.push(index);
          most = Math.max(most, ++running);
          for (let tick = 0; tick < delay; tick++) await Promise.resolve();
          running--;
          return index;
        });
      const results = first.map(take);
      // Some come while those before them hand their turns over.
      await Promise.resolve();
      results.push(...second.map(async (delay, index) => take(delay, first.length + index)));
      const expected = results.map((_, index) => index);
      expect(await Promise.all(results)).toEqual(expected);
      expect(begun).toEqual(expected);
      expect(most).toBeLessThanOrEqual(runningMax);
    },
  );
  await fc.assert(property);
});

test('when too many wait, the one whose turn would come last is told so at once', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 1 });
  const gate = Promise.withResolvers<void>();
  const first = turns.take(() => gate.promise);
  const second = turns.take(
    () => Promise.resolve('second'),
    () => 1,
  );
  expect(
    await turns.take(
      () => Promise.resolve('third'),
      () => 1,
    ),
  ).toBe('busy');
  const fourth = turns.take(
    () => Promise.resolve('fourth'),
    () => 0,
  );
  expect(await second).toBe('busy');
  gate.resolve();
  await first;
  expect(await fourth).toBe('fourth');
});

test('those of a lower rank go first, and of one rank those that came first', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 10 });
  const order: number[] = [];
  const ranks = [0, 3, 1, 2, 1, 0, 3];
  const all = ranks.map((rank, index) =>
    turns.take(
      async () => void order.push(index),
      () => rank,
    ),
  );
  await Promise.all(all);
  expect(order).toEqual([0, 5, 2, 4, 3, 1, 6]);
});

test('a task that fails gives its turn up', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 1 });
  await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.take(() => Promise.resolve('next'))).toBe('next');
});
