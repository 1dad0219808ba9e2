import { expect, test } from 'vitest';

import { GroupedLru } from './grouped-lru.ts';

test('a group over its share evicts its own oldest entries', () => {
  const shares = new GroupedLru<number>(100, 3);
  for (let index = 0; index < 50; index++) shares.set('loud', String(index), index);
  shares.set('quiet', 'a', 1);
  expect(shares.weight).toBe(4);
  expect(['46', '47', '48', '49'].map((key) => shares.get('loud', key))).toEqual([undefined, 47, 48, 49]);
  expect(shares.get('quiet', 'a')).toBe(1);
});

test('the least recently used group is evicted', () => {
  const shares = new GroupedLru<number>(5, 2);
  for (const group of ['a', 'b']) for (const key of ['1', '2']) shares.set(group, key, 0);
  expect(shares.get('a', '1')).toBe(0);
  for (const key of ['1', '2']) shares.set('c', key, 0);
  expect(shares.weight).toBe(4);
  expect([shares.get('a', '1'), shares.get('b', '1'), shares.get('c', '2')]).toEqual([0, undefined, 0]);
});

test('a replaced entry counts once', () => {
  const shares = new GroupedLru<number>(5, 2);
  for (const value of [1, 2, 3]) shares.set('a', '1', value);
  expect([shares.weight, shares.get('a', '1'), shares.get('b', '1')]).toEqual([1, 3, undefined]);
});
