import { expect, test } from 'vitest';
import type { EventIdentity } from '../usage/index.ts';
import { EventKeys } from './event-key.ts';

const keys = new EventKeys(new Uint8Array(32).fill(7));

function keyOf(identity: EventIdentity, of = keys): string {
  const out = new Uint32Array(8);
  of.write(identity, out, 4);
  expect([...out.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  return Buffer.from(out.buffer, 16).toString('hex');
}

test('an identity has one key, under one secret', () => {
  const identity = { tenant: 'a.org', source: 'ci', id: '1' };
  expect(keyOf(identity)).toBe(keyOf({ ...identity }));
  expect(keyOf(identity, new EventKeys(new Uint8Array(32).fill(8)))).not.toBe(keyOf(identity));
});

test('parts that look alike when they are joined have keys of their own', () => {
  const identities: EventIdentity[] = [
    { source: 'a-b', id: 'c' },
    { source: 'a', id: 'b-c' },
    { tenant: 'a', source: 'b', id: 'c' },
    { source: 'a\nb', id: 'c' },
    { tenant: 'a', source: 'b\n', id: 'c' },
    { source: 'ab', id: 'c' },
    { source: 'a', id: '\u0100' },
    { source: 'a', id: '\u0000\u0001' },
    { source: 'a', id: '\u0001' },
    { source: 'a', id: '\u0001\u0000' },
    { source: 'a', id: '' },
    { source: '', id: 'a' },
  ];
  expect(new Set(identities.map((identity) => keyOf(identity))).size).toBe(identities.length);
});
