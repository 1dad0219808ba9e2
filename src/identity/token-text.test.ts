import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemRandom } from '../base/index.ts';
import { tokenHash, tokenKindOf, tokenText, withoutTokens } from './token-text.ts';

const secret = new Uint8Array(32).fill(7);
const api = tokenText('api', secret);
const path = tokenText('path', secret);

test('a token has a prefix for secret scanners, and only characters of repository names', () => {
  expect(api).toMatch(/^tng_api_[a-z2-7]{59}$/);
  expect(path).toMatch(/^tng_path_[a-z2-7]{59}$/);
  expect([tokenKindOf(api), tokenKindOf(path)]).toEqual(['api', 'path']);
});

test('base32 is that of RFC 4648', () => {
  // "foobar" and zeros, by coreutils' base32 in lower case.
  const bytes = new Uint8Array(32);
  bytes.set(Buffer.from('foobar'));
  expect(tokenText('api', bytes).slice('tng_api_'.length, -7)).toBe(`mzxw6ytboi${'a'.repeat(42)}`);
});

test('different secrets give different tokens', () => {
  const tokens = new Set(Array.from({ length: 1_000 }, () => tokenText('api', systemRandom.bytes(32))));
  expect(tokens.size).toBe(1_000);
  expect(Buffer.from(tokenHash(api)).equals(tokenHash(path))).toBe(false);
});

test('one wrong character is detected', () => {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'.split('');
  const position = fc.integer({ min: 'tng_path_'.length, max: path.length - 1 });
  fc.assert(
    fc.property(position, fc.constantFrom(...alphabet), (at, other) => {
      fc.pre(path[at] !== other);
      expect(tokenKindOf(path.slice(0, at) + other + path.slice(at + 1))).toBe('mistyped');
    }),
  );
});

test.each([
  ['cut off', api.slice(0, -1), 'mistyped'],
  ['too long', `${api}a`, 'mistyped'],
  ['of another kind than it was made', api.replace('api', 'path'), 'mistyped'],
  ['only a beginning', 'tng_', 'mistyped'],
  ['upper case', api.toUpperCase(), undefined],
  ['of somebody else', 'ghp_abcdefghijklmnopqrstuvwxyz', undefined],
  ['nothing', '', undefined],
])('the kind of a text that is %s', (_, text, kind) => {
  expect(tokenKindOf(text)).toBe(kind);
});

test('only tokens are removed from logs', () => {
  expect(withoutTokens(`/wt/${path}/a/manifests/${api}x`)).toBe('/wt/tng_path_…/a/manifests/tng_api_…');
  expect(withoutTokens(path.toUpperCase())).not.toContain(path.slice(9, 30).toUpperCase());
  expect(withoutTokens('/v2/team/app/manifests/v1')).toBe('/v2/team/app/manifests/v1');
});
