import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChildIndex } from './child-index.ts';
import { MetricSet } from './metric-set.ts';

test('labels find their own series, whatever was looked up before', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '"'), maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { maxLength: 40 }), (asked) => {
      const hits = new MetricSet().counter({ name: 'hits', help: 'Hits.', labels: ['a', 'b'] });
      const counts = new Map<string, number>();
      for (const [a, b] of asked) {
        const child = hits.labels({ b, a });
        child.inc();
        counts.set(child.labels.text, (counts.get(child.labels.text) ?? 0) + 1);
        expect(child.labels.values).toEqual([a, b]);
      }
      for (const { labels, value: count } of hits) expect(count).toBe(counts.get(labels.text));
    }),
  );
});

test('a wrong label is rejected after a valid call too', () => {
  const hits = new MetricSet().counter({ name: 'hits', help: 'Hits.', labels: ['a'] });
  hits.labels({ a: 'x' });
  expect(() => hits.labels({ a: 'x', b: 'y' } as { a: string })).toThrow('has no label "b"');
  expect(() => hits.labels({ b: 'x' } as unknown as { a: string })).toThrow('label "a" needs a string');
});

test('it holds 10,000 children, and none once it is cleared', () => {
  const index = new ChildIndex<number>(['a']);
  for (let n = 0; n <= 10_000; n++) index.add({ a: `value ${n}` }, n);
  expect([0, 9_999, 10_000].map((n) => index.get({ a: `value ${n}` }))).toEqual([0, 9_999, undefined]);
  index.clear();
  expect(index.get({ a: 'value 0' })).toBeUndefined();
});
