import { expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { externalPrincipal } from './external-principal.ts';

const named = (name: string, email?: string): string =>
  externalPrincipal({ name, email, org: undefined, rights: ['pull'] }).subject;

test.each([
  ['ann', 'ann'],
  ['Ann Müller 😀', 'Ann Müller 😀'],
  ['a\nb', 'a\uFFFDb'],
  ['a\u001B[2Jb', 'a\uFFFD[2Jb'],
  ['a\u202Eb', 'a\uFFFDb'],
  ['a\u2028b', 'a\uFFFDb'],
  ['a\uD83Db', 'a\uFFFDb'],
])('invisible characters of a name are replaced: %j', (name, subject) => {
  expect(named(name)).toBe(subject);
});

test('a name is truncated between characters', () => {
  const most = limits.eventUserLengthMax;
  expect(named('x'.repeat(most + 1))).toBe('x'.repeat(most));
  expect(named(`${'x'.repeat(most - 1)}😀`)).toBe(`${'x'.repeat(most - 1)}\uFFFD`);
});

test('an e-mail address with an organisation is the name', () => {
  expect(named('ann', 'ann@example.org')).toBe('ann@example.org');
  expect(named('ann', 'ann@localhost@example.org')).toBe('ann');
});
