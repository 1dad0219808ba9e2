import { createHash } from 'node:crypto';

/** Registered digest algorithms (image-spec, descriptor.md) and the number of hexadecimal digits of each. */
const hexLengths = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof hexLengths;

/** A parsed digest. `text` is its canonical form, `sha256:<hex>`. */
export interface Digest {
  readonly text: string;
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

const pattern = /^(sha256|sha512):([0-9a-f]+)$/;

export const digestAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/**
 * Parses a digest. Returns null if the string is not a digest or its algorithm is not registered: the gateway could not
 * verify such content.
 */
export function parseDigest(text: string): Digest | null {
  const match = pattern.exec(text);
  const hex = match?.[2];
  if (hex === undefined) return null;
  const algorithm: DigestAlgorithm = match?.[1] === 'sha512' ? 'sha512' : 'sha256';
  return hex.length === hexLengths[algorithm] ? { text, algorithm, hex } : null;
}

export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  const hex = createHash(algorithm).update(bytes).digest('hex');
  return { text: `${algorithm}:${hex}`, algorithm, hex };
}
