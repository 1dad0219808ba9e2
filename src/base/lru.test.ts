import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Lru } from './lru.ts';

test('what was used longest ago leaves first', () => {
  const lru = new Lru<string>(2);
  lru.set('a', 'A');
  lru.set('b', 'B');
  expect(lru.get('a')).toBe('A');
  lru.set('c', 'C');
  expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual(['A', undefined, 'C']);
});

test('has() does not count as a use', () => {
  const lru = new Lru<string>(2);
  lru.set('a', 'A');
  lru.set('b', 'B');
  expect([lru.has('a'), lru.has('c')]).toEqual([true, false]);
  lru.set('c', 'C');
  expect([lru.has('a'), lru.has('b')]).toEqual([false, true]);
});

test('what is heavier than everything together may be is not kept', () => {
  const lru = new Lru<string>(3, (text) => text.length);
  lru.set('a', 'abcd');
  expect([lru.size, lru.weight]).toEqual([0, 0]);
});

test('the weight is that of what is in it, and never more than allowed', () => {
  const operation = fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.nat(9), fc.nat(9));
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      const lru = new Lru<number>(20, (weight) => weight);
      const model = new Map<string, number>();
      for (const [action, name, weight] of operations) {
        const key = String(name);
        if (action === 'set') model.set(key, weight);
        if (action === 'set') lru.set(key, weight);
        if (action === 'delete') lru.delete(key);
        const found = action === 'get' ? lru.get(key) : undefined;
        expect([undefined, model.get(key)]).toContain(found);
        const kept = Array.from({ length: 10 }, (_, index) => lru.get(String(index)) ?? 0);
        expect(lru.weight).toBe(kept.reduce((sum, each) => sum + each, 0));
        expect(lru.weight).toBeLessThanOrEqual(20);
      }
    }),
  );
});

test('reading and replacing entries for a long time takes no memory', () => {
  const lru = new Lru<number>(10);
  const use = (times: number): void => {
    for (let index = 0; index < times; index++) {
      if (lru.get('a') === undefined) lru.set('a', 0);
      lru.set('b', index);
    }
  };
  use(1_000);
  const before = heapBytes();
  use(200_000);
  expect(heapBytes() - before).toBeLessThan(2_000_000);
});

/** Bytes of the heap that are in use after a garbage collection. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  collect();
  return process.memoryUsage().heapUsed;
}
