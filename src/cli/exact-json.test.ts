import { expect, test } from 'vitest';
import { parseExactJson } from './exact-json.ts';

test('integers are exact, whatever their size', () => {
  expect(parseExactJson('{"a":[1,-2,9007199254740993],"b":"3","c":null,"d":1.5,"e":1e3}')).toEqual({
    a: [1n, -2n, 9_007_199_254_740_993n],
    b: '3',
    c: null,
    d: 1.5,
    e: 1000,
  });
});

test('what is no JSON is refused', () => {
  expect(() => parseExactJson('{')).toThrow(SyntaxError);
});
