import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseChallenges } from './challenge.ts';

const read = (header: string): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test.each<[string, unknown]>([
  ['', []],
  ['Basic', [['basic', {}]]],
  ['Basic realm="x"', [['basic', { realm: 'x' }]]],
  ['Basic realm = "x"', [['basic', { realm: 'x' }]]],
  [
    'Bearer realm="https://auth.example/token",service="example",scope="repository:a/b:pull,push"',
    [['bearer', { realm: 'https://auth.example/token', service: 'example', scope: 'repository:a/b:pull,push' }]],
  ],
  ['BEARER Realm="a", SERVICE=b', [['bearer', { realm: 'a', service: 'b' }]]],
  [String.raw`Basic realm="a \"quoted\" \\ text"`, [['basic', { realm: String.raw`a "quoted" \ text` }]]],
  ['Basic realm="a, b"', [['basic', { realm: 'a, b' }]]],
  [
    'Basic realm="x", Bearer realm="y",service="z"',
    [
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
    ],
  ],
  [
    'Negotiate, Basic realm="x"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'Negotiate YWJj=, Basic realm="x"',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['Bearer realm="x",realm="evil"', [['bearer', { realm: 'x' }]]],
  [', ,Basic realm="x",,', [['basic', { realm: 'x' }]]],
  [
    'Basic realm="unterminated',
    [
      ['basic', {}],
      ['realm', {}],
    ],
  ],
  ['Basic realm="x", @broken', [['basic', { realm: 'x' }]]],
])('%s', (header, expected) => {
  expect(read(header)).toEqual(expected);
});

test('parsing ends for any string', () => {
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseChallenges(text))));
});

test('a parameter survives quoting and parsing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (value) => {
      const quoted = value.replaceAll(/["\\]/g, String.raw`\$&`);
      return parseChallenges(`Bearer realm="${quoted}"`)[0]?.parameters.get('realm') === value;
    }),
  );
});
