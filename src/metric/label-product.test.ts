import { expect, test } from 'vitest';
import { LabelProduct } from './label-product.ts';
import { labelSet } from './labels.ts';

const product = new LabelProduct(['arch', 'pool', 'type']);

test('a label set has the text and the names of the same labels made one by one', () => {
  const labels = { arch: 'amd64', pool: 'a "pool"\n', type: 'wörker' };
  const made = product.of(Object.values(labels));
  expect(made).toEqual(labelSet(labels));
  expect(made.toJSON()).toEqual(labels);
});

test('the value undefined leaves a label out, and an empty one does not', () => {
  expect(product.of([undefined, '', 'x']).toJSON()).toEqual({ pool: '', type: 'x' });
  expect(product.of([undefined, undefined, 'x'])).toEqual(labelSet({ type: 'x' }));
});

test('a product has each combination once, with the text that its values give alone', () => {
  const lists = [
    ['1', undefined],
    ['', 'ä', 'b'],
    ['x', 'y\\'],
  ];
  const all = [...product.all(lists)];
  const alone = ['1', undefined].flatMap((arch) =>
    ['', 'ä', 'b'].flatMap((pool) => ['x', 'y\\'].map((type) => product.of([arch, pool, type]))),
  );
  expect(all).toEqual(alone);
  expect(new Set(all.map(({ closed }) => closed)).size).toBe(12);
  expect(all.map(({ plain }) => plain)).toEqual(all.map(({ closed }) => !closed.includes('ä')));
});

test('a product without values of a label is empty', () => {
  expect([...product.all([['1'], [], ['x']])]).toEqual([]);
  expect([...product.all([['1']])]).toEqual([]);
});

test('label sets with the same names share one array of names', () => {
  const [one, other] = product.all([['1', '2'], [undefined], ['x']]);
  expect(one?.names).toBe(other?.names);
});

test('a label set without its last label is a bug', () => {
  expect(() => product.of(['1', '2', undefined])).toThrow('expected a value of the last label, type');
});
