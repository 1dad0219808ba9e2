import { beforeEach, expect, test } from 'vitest';
import { limits, systemRandom } from '../base/index.ts';
import type { Principal, Right } from './principal.ts';
import { PullTokens } from './pull-tokens.ts';
import { HandClock } from './testing/fixtures.ts';

let clock: HandClock;
let tokens: PullTokens;
beforeEach(() => {
  clock = new HandClock();
  tokens = new PullTokens({ clock, random: systemRandom });
});

const principal = (...rights: Right[]): Principal => ({
  subject: 'alice',
  org: 'example.org',
  rights: new Set(rights),
});
const show = (token: string) => tokens.authenticate({ scheme: 'bearer', token });

test('a token identifies its principal, for pulling only', () => {
  const { token, expiresInSeconds } = tokens.issue(principal('pull', 'query', 'admin'));
  expect(token).toMatch(/^tonnage-pull\.[A-Za-z0-9_-]{43}$/);
  expect(expiresInSeconds).toBe(limits.pullTokenMs / 1000);
  expect(show(token)).toEqual({ subject: 'alice', org: 'example.org', rights: new Set(['pull']) });
});

test('it has no right that its principal does not have', () => {
  expect(show(tokens.issue(principal('query')).token)).toMatchObject({ rights: new Set() });
});

test('a client without credentials gets an anonymous token', () => {
  expect(show(tokens.issue(undefined).token)).toBe('anonymous');
});

test('it expires', () => {
  const { token } = tokens.issue(principal('pull'));
  clock.forward(limits.pullTokenMs - 1);
  expect(show(token)).toBeDefined();
  clock.forward(1);
  expect(show(token)).toBe('wrong');
});

test('a principal gets the same token for half its lifetime, and the old one stays valid', () => {
  const holder = principal('pull');
  const first = tokens.issue(holder);
  clock.forward(limits.pullTokenMs / 2);
  const second = tokens.issue(holder);
  expect(second).toEqual({ token: first.token, expiresInSeconds: first.expiresInSeconds / 2 });
  clock.forward(1);
  const third = tokens.issue(holder);
  expect(third.token).not.toBe(first.token);
  expect(show(first.token)).toBeDefined();
  expect(tokens.issue(principal('pull')).token).not.toBe(third.token);
});

test('unknown tokens and other credentials are not handled', () => {
  tokens.issue(undefined);
  expect(show('unknown')).toBeUndefined();
  expect(tokens.authenticate({ scheme: 'basic', user: 'a', password: 'b' })).toBeUndefined();
});

test('memory is bounded: the oldest token is removed', () => {
  const first = tokens.issue(principal('pull'));
  for (let count = 0; count < limits.credentialMemoryEntriesMax; count++) tokens.issue(principal('pull'));
  expect(show(first.token)).toBe('wrong');
});
