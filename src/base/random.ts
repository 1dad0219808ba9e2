import { randomBytes, randomUUID } from 'node:crypto';

/** Source of randomness, passed in like the clock, so that a test can make it repeat itself. */
export interface Random {
  /** `length` bytes from a cryptographically strong source. */
  bytes(length: number): Uint8Array;
  /** A random (version 4) UUID, as in RFC 9562. */
  uuid(): string;
}

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};
