import { scryptSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parsePasswordHash, systemRandom, type PasswordHash } from '../base/index.ts';
import { decoyHash, hashPassword, verifyPassword } from './password.ts';
import { cheapHash } from './testing/fixtures.ts';

function parsed(text: string): PasswordHash {
  const hash = parsePasswordHash(text);
  expect(hash, text).toBeDefined();
  return hash ?? decoyHash(systemRandom);
}

describe('a new hash', () => {
  test('is salted scrypt with its cost written down', async () => {
    const hash = await hashPassword('pässword', systemRandom);
    const [, salt = '', expected = ''] = /^scrypt:16384:8:1:([^:]+):([^:]+)$/.exec(hash) ?? [];
    expect(scryptSync('pässword', Buffer.from(salt, 'base64'), 32).toString('base64')).toBe(expected);
    expect(await hashPassword('pässword', systemRandom)).not.toBe(hash);
  });

  test('lets in its own password only', async () => {
    const hash = parsed(await hashPassword('secret', systemRandom));
    expect(await verifyPassword('secret', hash)).toBe(true);
    expect(await verifyPassword('secret ', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });
});

test.each([
  ['Wave’s example account', 'sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9', 'bar'],
  ['Wave’s test account', 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8', 'password'],
  ['a low cost', cheapHash('secret'), 'secret'],
])('%s lets its password in', async (_title, text, password) => {
  const hash = parsePasswordHash(text);
  expect(hash && (await verifyPassword(password, hash))).toBe(true);
  expect(hash && (await verifyPassword(`${password}x`, hash))).toBe(false);
});

test('scrypt is that of RFC 7914: section 12, third vector', async () => {
  const hash = Buffer.from(
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    'hex',
  );
  const vector = {
    kind: 'scrypt',
    cost: 16_384,
    blockSize: 8,
    parallelism: 1,
    salt: Buffer.from('SodiumChloride'),
    hash,
  } as const;
  expect(await verifyPassword('pleaseletmein', vector)).toBe(true);
});

test('the most expensive hash that is taken can be computed', async () => {
  const hash = parsed(`scrypt:131072:8:1:${'A'.repeat(22)}==:${'b'.repeat(43)}=`);
  expect(await verifyPassword('x', hash)).toBe(false);
});
