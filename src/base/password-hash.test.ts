import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parsePasswordHash } from './password-hash.ts';

const salt = 'A'.repeat(22);
const key = 'b'.repeat(43);
test.each([
  '',
  'secret',
  createHash('sha256').update('x').digest('hex'),
  `sha256:${'0A'.repeat(32)}`,
  `sha256:${'00'.repeat(31)}`,
  `scrypt:16384:8:1:${salt}`,
  `scrypt:16384:8:1:short:${key}`,
  `scrypt:16384:8:1:${salt}:short`,
  `scrypt:16384:8:1:${salt}:${key}:`,
  `scrypt:1000:8:1:${salt}:${key}`,
  `scrypt:512:8:1:${salt}:${key}`,
  `scrypt:0:8:1:${salt}:${key}`,
  `scrypt:16384:0:1:${salt}:${key}`,
  `scrypt:16384:8:0:${salt}:${key}`,
  `scrypt:16384:8:17:${salt}:${key}`,
  `scrypt:1048576:2:1:${salt}:${key}`,
  `scrypt:-1:8:1:${salt}:${key}`,
])('%j is no password hash', (text) => {
  expect(parsePasswordHash(text)).toBeUndefined();
});

test('a hash is read with its costs', () => {
  expect(parsePasswordHash(`scrypt:16384:8:1:${salt}==:${key}=`)).toEqual({
    kind: 'scrypt',
    cost: 16_384,
    blockSize: 8,
    parallelism: 1,
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(key, 'base64'),
  });
  const digest = '0a'.repeat(32);
  expect(parsePasswordHash(`sha256:${digest}`)).toEqual({ kind: 'sha256', hash: Buffer.from(digest, 'hex') });
});
