import { Buffer } from 'node:buffer';

import { expect, test } from 'vitest';

import { digestOf, parseDigest } from './digest.ts';

// The digests of the empty string, from FIPS 180-4.
const emptySha256 = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const emptySha512 =
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce' +
  '47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e';

test.each([
  [emptySha256, 'sha256'],
  [emptySha512, 'sha512'],
])('%s is parsed as %s', (text, algorithm) => {
  expect(parseDigest(text)).toEqual({ text, algorithm, hex: text.slice(7) });
});

test.each([
  '',
  'sha256',
  'sha256:',
  'sha256:abc',
  emptySha256.toUpperCase(),
  emptySha256.replace('e3', 'E3'),
  emptySha256.replace('e3', 'g3'),
  `${emptySha256}0`,
  emptySha512.replace('sha512', 'sha256'),
  emptySha256.replace('sha256', 'sha512'),
  emptySha256.replace('sha256', 'sha384'),
  emptySha256.replace('sha256', 'blake3'),
  ` ${emptySha256}`,
  `${emptySha256}\n`,
])('%j is not a digest', (text) => {
  expect(parseDigest(text)).toBeNull();
});

test('digestOf uses the given algorithm', () => {
  expect(digestOf('sha256', Buffer.alloc(0)).text).toBe(emptySha256);
  expect(digestOf('sha512', Buffer.alloc(0)).text).toBe(emptySha512);
});
