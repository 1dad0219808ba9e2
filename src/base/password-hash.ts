import { limits } from './limits.ts';

/** What a password hash costs: scrypt's N, r and p (RFC 7914 section 2). */
export interface HashCost {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

/** A password hash, read. */
export type PasswordHash =
  | ({ readonly kind: 'scrypt'; readonly salt: Uint8Array; readonly hash: Uint8Array } & HashCost)
  | { readonly kind: 'sha256'; readonly hash: Uint8Array };

const sha256Pattern = /^sha256:([0-9a-f]{64})$/;
const scryptPattern =
  /^scrypt:([0-9]{1,7}):([0-9]{1,2}):([0-9]{1,2}):([A-Za-z0-9+/]{22,88}={0,2}):([A-Za-z0-9+/]{42,88}={0,2})$/;

/**
 * Reads `scrypt:N:r:p:<salt base64>:<hash base64>`, or `sha256:<64 lower-case hex digits>` as in Wave's accounts.
 * `undefined` for any other text, and for costs out of range (`isValid`).
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, digest] = sha256Pattern.exec(text) ?? [];
  if (digest !== undefined) return { kind: 'sha256', hash: Buffer.from(digest, 'hex') };
  const [, cost, blockSize, parallelism, salt = '', hash = ''] = scryptPattern.exec(text) ?? [];
  const numbers = { cost: Number(cost), blockSize: Number(blockSize), parallelism: Number(parallelism) };
  if (!isValid(numbers)) return undefined;
  return { kind: 'scrypt', ...numbers, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

/** Whether N is a power of two, as RFC 7914 section 2 requires, and a login costs no more than the limits allow. */
function isValid({ cost, blockSize, parallelism }: HashCost): boolean {
  return (
    cost >= limits.passwordHashCostMin &&
    Number.isInteger(Math.log2(cost)) &&
    blockSize >= 1 &&
    128 * cost * blockSize <= limits.passwordHashMemoryBytesMax &&
    parallelism >= 1 &&
    parallelism <= limits.passwordHashParallelismMax
  );
}
