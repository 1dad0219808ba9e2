import { expect, it } from 'vitest';
import { KnownProducts } from './known-products.ts';

const names = ['arch', 'type'];
const lists = [
  ['0', '1', undefined],
  ['x', 'y'],
];

it('returns the same label sets at the next read', () => {
  const products = new KnownProducts();
  const first = [...products.all(names, lists)];
  expect(first.map((labels) => labels.toJSON())).toEqual([
    { arch: '0', type: 'x' },
    { arch: '0', type: 'y' },
    { arch: '1', type: 'x' },
    { arch: '1', type: 'y' },
    { type: 'x' },
    { type: 'y' },
  ]);
  products.begin();
  for (const [index, labels] of [...products.all(names, lists)].entries()) expect(labels).toBe(first[index]);
  products.begin();
  expect([...products.all(names, lists)][0]).toBe(first[0]);
});

it('makes other label sets for other names, values or absent labels', () => {
  const products = new KnownProducts();
  const textsOf = (...product: Parameters<KnownProducts['all']>) =>
    [...products.all(...product)].map(({ text }) => text);
  expect(textsOf(['a', 'b'], [['1'], ['2']])).toEqual(['a="1",b="2"']);
  expect(textsOf(['b', 'a'], [['1'], ['2']])).toEqual(['b="1",a="2"']);
  expect(textsOf(['a', 'b'], [['null'], ['2']])).toEqual(['a="null",b="2"']);
  expect(textsOf(['a', 'b'], [[undefined], ['2']])).toEqual(['b="2"']);
});

it('drops what a read did not use, and what was left unfinished', () => {
  const products = new KnownProducts();
  const [first] = products.all(names, lists);
  const [second] = products.all(names, lists);
  expect(second).not.toBe(first);
  const [kept] = [...products.all(names, lists)];
  products.begin();
  products.begin();
  expect([...products.all(names, lists)][0]).not.toBe(kept);
});
