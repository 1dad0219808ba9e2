import { describe, expect, it, test } from 'vitest';

import { isRepositoryName, isTag, parseReference } from './names.ts';

const hex = 'a'.repeat(64);

test.each([
  ['alpine', true],
  ['library/alpine', true],
  ['a/b/c/d/e/f/g', true],
  ['my.image', true],
  ['my_image', true],
  ['my__image', true],
  ['my--image---x', true],
  ['0/1', true],
  ['a'.repeat(255), true],
  ['a'.repeat(256), false],
  ['', false],
  ['/', false],
  ['a/', false],
  ['/a', false],
  ['a//b', false],
  ['A', false],
  ['a/B', false],
  ['.a', false],
  ['a.', false],
  ['a..b', false],
  ['a___b', false],
  ['a._b', false],
  ['-a', false],
  ['a-', false],
  ['a/../b', false],
  ['a\u0000b', false],
  ['a b', false],
  ['ä', false],
  ['a\n', false],
])('%j is a repository name: %s', (text, expected) => {
  expect(isRepositoryName(text)).toBe(expected);
});

test.each([
  ['latest', true],
  ['v1.0-RC1', true],
  ['_x', true],
  ['1', true],
  ['a'.repeat(128), true],
  ['a'.repeat(129), false],
  ['', false],
  ['.a', false],
  ['-a', false],
  ['a:b', false],
  ['a/b', false],
  ['a b', false],
  ['latest\n', false],
])('%j is a tag: %s', (text, expected) => {
  expect(isTag(text)).toBe(expected);
});

describe('a reference', () => {
  it('keeps the case of a tag', () => {
    expect(parseReference('v1.0-RC1')).toEqual({ kind: 'tag', tag: 'v1.0-RC1' });
  });

  it('is a digest if it has a registered algorithm', () => {
    const text = `sha256:${hex}`;
    expect(parseReference(text)).toEqual({ kind: 'digest', digest: { text, algorithm: 'sha256', hex } });
  });

  it.each(['', 'sha256:', `sha256:${hex}a`, `md5:${hex}`, ':latest', 'a@b'])('cannot be %j', (text) => {
    expect(parseReference(text)).toBeNull();
  });

  it('is rejected without backtracking, however often a separator repeats', () => {
    expect(isRepositoryName(`${'a-'.repeat(120)}`)).toBe(false);
    expect(isRepositoryName(`${'a__'.repeat(80)}_`)).toBe(false);
  });
});
