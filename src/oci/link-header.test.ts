import { expect, test } from 'vitest';

import { linkTarget } from './link-header.ts';

test.each([
  ['', null],
  ['</a>', null],
  ['</a>; rel=next', '/a'],
  ['</a>; rel="next"', '/a'],
  ["</a>; rel='next'", '/a'],
  ['< /a >;REL = "Next"', '/a'],
  ['</a>; rel="prev  NEXT"', '/a'],
  ['</a>; rel="prev"; rel="next"', null],
  ['</a>; rel="nextish"', null],
  ['</a>; title="a, b; rel=next"; rel="next"', '/a'],
  ['</a>; title="a \\" b"; rel="next"', '/a'],
  ['</a>; title="never ends; rel=next', '/a'],
  ['</a>; title; rel=next', '/a'],
  ['</a>;; rel=next', '/a'],
  ['</a,b;c>; rel=next', '/a,b;c'],
  ['</a>; rel=prev, </b>; rel=next', '/b'],
  ['</a>; rel=next, </b>; rel=next', '/a'],
  ['/a?n=1&x=y; rel="next"', '/a?n=1&x=y'],
  ['/a?n=1,2; rel="next"', '/a?n=1,2'],
  ['/a; rel=prev, /b; rel=next', '/b'],
  ['/a, </b>; rel=next', '/b'],
  ['https://host/a; rel=next', 'https://host/a'],
  ['?page=2; rel=next', '?page=2'],
  ['</a', null],
  ['; rel=next', null],
  [',,, </a>; rel=next', '/a'],
])('in %j the next page is %j', (header, target) => {
  expect(linkTarget(header, 'next')).toBe(target);
});

test('parsing takes time linear in the length of the header', () => {
  const started = performance.now();
  expect(linkTarget(`${'</a>; title="x'.repeat(20_000)}`, 'next')).toBeNull();
  expect(linkTarget(`${'a;b="'.repeat(20_000)}`, 'next')).toBeNull();
  expect(performance.now() - started).toBeLessThan(5_000);
});
