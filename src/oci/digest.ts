import { createHash } from 'node:crypto';

/** Registered digest algorithms (image-spec, descriptor.md) and how many hexadecimal digits each has. */
const hexLengths = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof hexLengths;

/** A digest in its two parts. `text` is the form that identifies content everywhere: `sha256:<hex>`. */
export interface Digest {
  readonly text: string;
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

const pattern = /^(sha256|sha512):([0-9a-f]+)$/;

export const digestAlgorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512'];

/**
 * Reads a digest of a registered algorithm; null when the text is none. Algorithms that the specification allows but
 * does not register are refused too: what cannot be computed cannot be verified.
 */
export function parseDigest(text: string): Digest | null {
  const match = pattern.exec(text);
  const hex = match?.[2];
  if (hex === undefined) return null;
  const algorithm: DigestAlgorithm = match?.[1] === 'sha512' ? 'sha512' : 'sha256';
  return hex.length === hexLengths[algorithm] ? { text, algorithm, hex } : null;
}

/** Computes the digest of `bytes`. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Digest {
  const hex = createHash(algorithm).update(bytes).digest('hex');
  return { text: `${algorithm}:${hex}`, algorithm, hex };
}
