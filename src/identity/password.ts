import { createHash, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { limits, type HashCost, type PasswordHash, type Random } from '../base/index.ts';

/** The cost of new hashes: 16 MiB of memory and about 50 ms of one core, for each uncached login and each guess. */
const newHashCost = { cost: 16_384, blockSize: 8, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;

/**
 * The hash of a new password, with a salt of its own, in the form that `parsePasswordHash` reads. scrypt, because
 * Node.js has it; packages for argon2 and bcrypt bring compiled code.
 */
export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = random.bytes(saltBytes);
  const hash = await derive(password, salt, hashBytes, newHashCost);
  const { cost, blockSize, parallelism } = newHashCost;
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return `scrypt:${cost}:${blockSize}:${parallelism}:${encode(salt)}:${encode(hash)}`;
}

/** Whether `password` is the one that was hashed. Takes the same time whichever byte differs. */
export async function verifyPassword(password: string, expected: PasswordHash): Promise<boolean> {
  if (expected.kind === 'sha256') {
    return timingSafeEqual(createHash('sha256').update(password, 'utf8').digest(), expected.hash);
  }
  const derived = await derive(password, expected.salt, expected.hash.length, expected);
  return timingSafeEqual(derived, expected.hash);
}

/** A hash that matches no password and is as expensive to check as a new one, for logins with an unknown user name. */
export function decoyHash(random: Random): PasswordHash {
  return { kind: 'scrypt', ...newHashCost, salt: random.bytes(saltBytes), hash: random.bytes(hashBytes) };
}

function derive(password: string, salt: Uint8Array, length: number, cost: HashCost): Promise<Uint8Array> {
  const { cost: N, blockSize: r, parallelism: p } = cost;
  // By default, Node.js rejects a hash that needs more than 32 MiB.
  const options: ScryptOptions = { N, r, p, maxmem: 2 * limits.passwordHashMemoryBytesMax };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}
