import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { limits, systemRandom } from '../base/index.ts';
import { CredentialCache } from './credential-cache.ts';
import { HandClock } from './testing/fixtures.ts';

test('entries expire', () => {
  const clock = new HandClock();
  const memory = new CredentialCache<string>(clock, systemRandom);
  const key = memory.keyOf('Basic YTpi');
  expect(memory.get(key)).toBeUndefined();
  memory.set(key, 'alice');
  clock.forward(limits.credentialMemoryMs - 1);
  expect(memory.get(key)).toBe('alice');
  clock.forward(1);
  expect(memory.get(key)).toBeUndefined();
});

test('the key depends on every byte of the header and on a secret of the process', () => {
  const memory = new CredentialCache<string>(new HandClock(), systemRandom);
  const other = new CredentialCache<string>(new HandClock(), systemRandom);
  expect(memory.keyOf('Basic YTpi')).toBe(memory.keyOf('Basic YTpi'));
  expect(memory.keyOf('Basic YTpi')).not.toBe(memory.keyOf('Basic YTpj'));
  expect(memory.keyOf('Basic YTpi')).not.toBe(memory.keyOf('basic YTpi'));
  expect(memory.keyOf('Basic YTpi')).not.toBe(other.keyOf('Basic YTpi'));
});

test('it is bounded, evicts the oldest entry first, and contains no credentials', () => {
  const memory = new CredentialCache<string>(new HandClock(), systemRandom);
  const keys = Array.from({ length: limits.credentialMemoryEntriesMax + 1 }, (_, index) =>
    memory.keyOf(`Basic ${index}`),
  );
  for (const key of keys) memory.set(key, 'x');
  expect(keys.filter((key) => memory.get(key) === undefined)).toEqual([keys[0]]);
  expect(inspect(memory, { depth: 9, showHidden: true })).not.toContain('Basic');
});
