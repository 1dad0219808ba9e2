import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { EventIdentity } from '../usage/index.ts';
import { EventKeys } from './event-key.ts';

const secret = new Uint8Array(32).fill(7);
const keys = new EventKeys({ version: 2, secret });

function keyOf(identity: EventIdentity, of = keys): string {
  const out = new Uint32Array(8);
  of.write(identity, out, 4);
  expect([...out.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
  return Buffer.from(out.buffer, 16).toString('hex');
}

/** Identities whose parts look alike when they are joined, or whose ids encode alike. */
const alike: EventIdentity[] = [
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
  { source: 'a', id: '\ud800' },
  { source: 'a', id: '\udc00' },
  { source: 'a', id: '\ud800\udc00' },
  { source: 'a', id: '\udc00\ud800' },
  { source: 'a', id: '\ufffd' },
  { source: 'a', id: '"\\ud800"' },
  { source: 'a', id: '\\ud800' },
];

describe.each([1, 2] as const)('version %i of the hash', (version) => {
  const versioned = new EventKeys({ version, secret });

  test('gives an identity one key, under one secret', () => {
    const identity = { tenant: 'a.org', source: 'ci', id: '1' };
    expect(keyOf(identity, versioned)).toBe(keyOf({ ...identity }, versioned));
    const others = new EventKeys({ version, secret: new Uint8Array(32).fill(8) });
    expect(keyOf(identity, others)).not.toBe(keyOf(identity, versioned));
  });

  test('gives different keys to parts that look alike when joined', () => {
    expect(new Set(alike.map((identity) => keyOf(identity, versioned))).size).toBe(alike.length);
  });
});

test('the key is the first half of SHA-256 over 32 secret characters and the id', () => {
  const id = 'zażółć-1';
  const derived = createHmac('sha256', secret).update('["tonnage event key","a.org","ci"]').digest('base64url');
  const expected = createHash('sha256')
    .update(`${derived.slice(0, 32)}=${id}`)
    .digest('hex')
    .slice(0, 32);
  expect(keyOf({ tenant: 'a.org', source: 'ci', id })).toBe(expected);
});
