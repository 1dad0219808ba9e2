import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from './secret.ts';

const secret = new Secret('hunter2');

test('reveal() returns the secret', () => {
  expect(secret.reveal()).toBe('hunter2');
});

test.each([
  ['a template', `${secret.toString()}`],
  ['concatenation', `is ${String(secret)}`],
  ['JSON', JSON.stringify({ secret })],
  ['inspection', inspect({ secret }, { depth: 9, showHidden: true })],
  ['its own members', JSON.stringify(Object.getOwnPropertyNames(secret))],
  ['a spread copy', JSON.stringify(Object.assign({}, secret))],
])('a secret does not show in %s', (_way, text) => {
  expect(text).not.toContain('hunter2');
});
