import { createHash, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { limits, type Random } from '../base/index.ts';

/** A password hash, read. Cost, block size and parallelism are scrypt's N, r and p (RFC 7914 section 2). */
export type PasswordHash =
  | {
      readonly kind: 'scrypt';
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelism: number;
      readonly salt: Uint8Array;
      readonly hash: Uint8Array;
    }
  | { readonly kind: 'sha256'; readonly hash: Uint8Array };

/**
 * What new hashes cost: 16 MiB of memory and about 50 ms of one core, for us at each login that is not remembered
 * and for whoever guesses at each guess.
 */
const newHashCost = { cost: 16_384, blockSize: 8, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;
const scryptPattern =
  /^scrypt:([0-9]{1,7}):([0-9]{1,2}):([0-9]{1,2}):([A-Za-z0-9+/]{22,88}={0,2}):([A-Za-z0-9+/]{42,88}={0,2})$/;

/**
 * Reads `scrypt:N:r:p:<salt base64>:<hash base64>` or `sha256:<64 lower-case hex digits>`, which is how Wave keeps the
 * passwords of its accounts. `undefined` for anything else, and for costs beyond what is sound.
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const sha256 = /^sha256:([0-9a-f]{64})$/.exec(text);
  if (sha256?.[1] !== undefined) return { kind: 'sha256', hash: Buffer.from(sha256[1], 'hex') };
  const [, cost, blockSize, parallelism, salt = '', hash = ''] = scryptPattern.exec(text) ?? [];
  const numbers = { cost: Number(cost), blockSize: Number(blockSize), parallelism: Number(parallelism) };
  if (!isSound(numbers)) return undefined;
  return { kind: 'scrypt', ...numbers, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

type Cost = { readonly cost: number; readonly blockSize: number; readonly parallelism: number };

/** A power of two, as RFC 7914 section 2 asks for, and within what we are ready to spend on a login. */
function isSound({ cost, blockSize, parallelism }: Cost): boolean {
  return (
    cost >= limits.passwordHashCostMin &&
    Number.isInteger(Math.log2(cost)) &&
    blockSize >= 1 &&
    128 * cost * blockSize <= limits.passwordHashMemoryBytesMax &&
    parallelism >= 1 &&
    parallelism <= limits.passwordHashParallelismMax
  );
}

/** The hash of a new password, with a salt of its own, in the form that `parsePasswordHash` reads. */
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

/** A hash that no password has, as expensive to check as a new one: spent where there is nothing to compare with. */
export function decoyHash(random: Random): PasswordHash {
  return { kind: 'scrypt', ...newHashCost, salt: random.bytes(saltBytes), hash: random.bytes(hashBytes) };
}

function derive(password: string, salt: Uint8Array, length: number, cost: Cost): Promise<Uint8Array> {
  const { cost: N, blockSize: r, parallelism: p } = cost;
  // Node.js refuses by default what needs more than 32 MiB.
  const options: ScryptOptions = { N, r, p, maxmem: 2 * limits.passwordHashMemoryBytesMax };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}
