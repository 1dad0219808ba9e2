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
      const take = async (delay: number, index: number): Promise<number | undefined> =>
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

test('too many who wait are told so at once', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 1 });
  const gate = Promise.withResolvers<void>();
  const first = turns.take(() => gate.promise);
  const second = turns.take(() => Promise.resolve('second'));
  expect(turns.take(() => Promise.resolve('third'))).toBeUndefined();
  gate.resolve();
  await first;
  expect(await second).toBe('second');
});

test('a task that fails gives its turn up', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 1 });
  await expect(turns.take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.take(() => Promise.resolve('next'))).toBe('next');
});
