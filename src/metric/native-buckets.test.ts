import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf } from './buckets.ts';
import { NativeBuckets } from './native-buckets.ts';

test.each([-4, -1, 0, 1, 3, 8])('schema %i: a value lies within the bounds of its bucket', (schema) => {
  const base = 2 ** (2 ** -schema);
  fc.assert(
    fc.property(fc.double({ min: 1e-30, max: 1e30, noNaN: true }), (value) => {
      const buckets = new NativeBuckets({ schema });
      buckets.observe(value);
      const [bucket] = buckets.read(value).positive;
      const index = bucket?.index ?? NaN;
      // The expected bounds have a rounding error too.
      expect(value).toBeLessThanOrEqual(base ** index * (1 + 1e-9));
      expect(value).toBeGreaterThan(base ** (index - 1) * (1 - 1e-9));
    }),
  );
});

test.each([
  [0, 1, 0],
  [0, 2, 1],
  [0, 2.0001, 2],
  [0, 0.5, -1],
  [-1, 4, 1],
  [-1, 4.1, 2],
  [-1, 1, 0],
  [1, 2, 2],
  [1, 1.5, 2],
  [1, 1.4, 1],
  [3, 1, 0],
  [0, Number.MAX_VALUE, 1024],
  [0, Infinity, 1025],
  [0, Number.MIN_VALUE, -1074],
])('schema %i: %d is in bucket %i', (schema, value, index) => {
  const buckets = new NativeBuckets({ schema, zeroThreshold: 0 });
  buckets.observe(value);
  expect(buckets.read(0).positive).toEqual([{ index, count: 1 }]);
});

test('small magnitudes count as zero, and negative values are counted separately', () => {
  const buckets = new NativeBuckets({ schema: 0, zeroThreshold: 0.1 });
  for (const value of [0, 0.1, -0.1, 1, -1, -1]) buckets.observe(value);
  expect(buckets.read(-1)).toMatchObject({
    zeroCount: 3,
    positive: [{ index: 0, count: 1 }],
    negative: [{ index: 0, count: 2 }],
    count: 6,
    sum: -1,
  });
});

test('exceeding bucketsMax halves the resolution and keeps every observation', () => {
  const buckets = new NativeBuckets({ schema: 8, bucketsMax: 20 });
  for (let value = 1; value <= 1000; value++) buckets.observe(value);
  const { schema, positive, count } = buckets.read(0);
  expect(positive.length).toBeLessThanOrEqual(20);
  expect(schema).toBeLessThan(8);
  expect(positive.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
  const direct = new NativeBuckets({ schema });
  for (let value = 1; value <= 1000; value++) direct.observe(value);
  expect(positive).toEqual(direct.read(0).positive);
});

test('the bucket of a value is the first whose bound is at least the value', () => {
  const bounds = [1, 2, 5];
  expect([-1, 1, 1.5, 2, 5, 6, Infinity].map((value) => bucketOf(bounds, value))).toEqual([0, 0, 1, 1, 2, 3, 3]);
});
