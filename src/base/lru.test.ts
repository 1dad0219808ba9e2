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
